from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action


class SetValuesInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	values: dict[str, Any] = Field(
		default_factory=dict, description="Names and values, or templates for them"
	)


@action(title="Set values", pure=True)
def set_values(context: Context, input: SetValuesInput) -> dict:
	"""Work values out of templates and pass them on; later steps read them as steps.<step>.output.<name>."""
	return input.values
