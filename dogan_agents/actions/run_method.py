import inspect
from collections.abc import Callable
from typing import Any

import frappe
from frappe.model.document import Document
from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import InputError, NotPermitted


class RunMethodInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	method: str = Field(description="Dotted path of a method that an app lists in its hook dogan_methods")
	kwargs: dict[str, Any] = Field(default_factory=dict, description="The method's arguments, by name")


class RunMethodOutput(BaseModel):
	result: Any = None


@action(title="Run method")
def run_method(context: Context, input: RunMethodInput) -> RunMethodOutput:
	"""Call a Python method of an app, as the step's user. Only methods that an app has listed can be called."""
	method = _registered(input.method)
	try:
		inspect.signature(method).bind(**input.kwargs)
	except TypeError as error:
		raise InputError(f"{input.method}: {error}.") from error
	result = method(**input.kwargs)
	return RunMethodOutput(result=result.as_dict() if isinstance(result, Document) else result)


def _registered(path: str) -> Callable[..., Any]:
	listed = frappe.get_hooks("dogan_methods")
	if path not in listed:
		known = ", ".join(sorted(listed)) or "none"
		raise NotPermitted(
			f"The method {path} is not in the hook dogan_methods of any app (listed: {known})."
		)
	return frappe.get_attr(path)  # type: ignore[no-any-return]
