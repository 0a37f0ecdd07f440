class DoganError(Exception):
	"""The orchestrator could not do what was asked."""

	def __init__(self, message: str | None = None):
		super().__init__(message or self.__doc__)


class SpecError(DoganError):
	"""A workflow's definition is wrong at one place: `step` (empty for the workflow itself), `field`, `reason`."""

	def __init__(self, reason: str, *, step: str = "", field: str = ""):
		self.reason, self.step, self.field = reason, step, field
		where = f"Step {step}, {field}: " if step else (f"{field}: " if field else "")
		super().__init__(where + reason)


class NotFound(DoganError):
	"""There is no such record."""


class StateError(DoganError):
	"""The record's state does not allow this."""


class PayloadError(DoganError):
	"""What a step passes on must be JSON of at most 1 MB."""


class InputError(DoganError):
	"""The input does not fit the action's schema."""


class ActionError(DoganError):
	"""The action is not registered, or this agent may not perform it."""


class TemplateError(DoganError):
	"""A template or condition could not be evaluated."""


class NotPermitted(DoganError):
	"""The user may not do this."""


class PermanentError(DoganError):
	"""Raise it from an action: the step fails at once, a retry would not help."""


class TemporaryError(DoganError):
	"""Raise it from an action: the step is tried again by its retry policy."""


class ParkError(DoganError):
	"""Raise it from an action: the step is parked for a person."""


class Signal(BaseException):
	"""Base of the engine's control flow; not an Exception, so that an action's own handlers let it pass."""


class Suspend(Signal):
	"""The step waits until `due` (µs, UTC) and holds no worker meanwhile."""

	def __init__(self, due: int):
		self.due = due
		super().__init__(due)


class StepTimeout(Signal):
	"""The step ran longer than its time limit; the connection it used is no longer to be trusted."""


class LeaseLost(Signal):
	"""A fenced write found another lease token: the work now belongs to somebody else."""
