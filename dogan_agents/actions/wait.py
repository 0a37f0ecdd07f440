from datetime import datetime, timezone

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dogan_agents.engine.action import Context, action


class WaitInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	seconds: float = Field(0, ge=0, le=366 * 86400, description="How long, from now")
	until: datetime | None = Field(None, description="Or until when, with its zone (without one: UTC)")

	@model_validator(mode="after")
	def _one_of_them(self) -> "WaitInput":
		if self.until and self.seconds:
			raise ValueError("give seconds or until, not both")
		return self


class WaitOutput(BaseModel):
	waited_until: datetime


@action(title="Wait", pure=True)
def wait(context: Context, input: WaitInput) -> WaitOutput:
	"""Wait for some seconds or until a time. Waiting holds no worker."""
	if not context.waited_until:
		if input.until:
			until = input.until if input.until.tzinfo else input.until.replace(tzinfo=timezone.utc)
			context.wait_until(int(until.timestamp() * 1_000_000))
		context.wait_for(input.seconds)
	return WaitOutput(waited_until=datetime.fromtimestamp(context.waited_until / 1_000_000, timezone.utc))
