"""Actions: registered callables with a typed input and output that agents perform."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeVar, get_type_hints

from pydantic import BaseModel, ValidationError

from dogan_agents.engine.errors import ActionError, InputError, Suspend
from dogan_agents.engine.shared import SharedState

F = TypeVar("F", bound=Callable[..., Any])
MARK = "__dogan_action__"


@dataclass(frozen=True, slots=True)
class Action:
	name: str
	title: str
	function: Callable[..., Any]
	input_model: type[BaseModel]
	output_model: type[BaseModel] | None
	external: bool  # has an effect outside the database: performed in a transaction of its own
	pure: bool  # never touches the database: needs no savepoint
	description: str

	def parse(self, data: Mapping[str, Any]) -> BaseModel:
		"""The typed input; InputError lists each field that does not fit."""
		try:
			return self.input_model.model_validate(data)
		except ValidationError as error:
			raise InputError(explain(error)) from error


@dataclass(slots=True)
class Context:
	"""What an action is told about the step it performs."""

	run: Mapping[str, Any]  # name, workflow, input, user, reference_doctype, reference_name
	task: str
	step: str
	agent: str | None
	user: str
	attempt: int
	waited_until: int  # µs, UTC, of the wait that has just ended; 0 when there was none
	now: int  # µs, UTC, by the database's clock
	log: list[str] = field(default_factory=list)
	open_state: Callable[["Context"], SharedState] | None = None

	@property
	def state(self) -> SharedState:
		"""What the steps of this run share; its `.workflow` is what all runs of the workflow share."""
		if self.open_state is None:
			raise ActionError("An action that is pure has no state.")
		return self.open_state(self)

	def wait_until(self, due: int) -> None:
		"""Suspend the step until `due` (µs, UTC), then perform it again with `waited_until` set."""
		raise Suspend(due)

	def wait_for(self, seconds: float) -> None:
		raise Suspend(self.now + int(seconds * 1_000_000))


def action(
	*, title: str, name: str | None = None, external: bool = False, pure: bool = False
) -> Callable[[F], F]:
	"""Register the decorated `function(context, input: Model) -> Model | None` as an action.

	The function's docstring is what the desk shows. List its dotted path in the hook `dogan_actions`.
	"""

	def register(function: F) -> F:
		hints = get_type_hints(function)
		input_model = hints.get("input")
		if not (inspect.isclass(input_model) and issubclass(input_model, BaseModel)):
			raise ActionError(f"{function.__qualname__}: annotate `input` with a pydantic model.")
		output = hints.get("return")
		setattr(
			function,
			MARK,
			Action(
				name=name or function.__name__,
				title=title,
				function=function,
				input_model=input_model,
				output_model=output if inspect.isclass(output) and issubclass(output, BaseModel) else None,
				external=external,
				pure=pure,
				description=inspect.getdoc(function) or "",
			),
		)
		return function

	return register


def registry(
	paths: Iterable[str], broken: Callable[[ActionError], object] | None = None
) -> dict[str, Action]:
	"""Actions by name from dotted paths of decorated functions; the last one of a name wins.

	A path that leads to no action raises ActionError, or is told to `broken` and left out.
	"""
	found: dict[str, Action] = {}
	for path in paths:
		try:
			loaded = _load(path)
		except ActionError as error:
			if broken is None:
				raise
			broken(error)
		else:
			found[loaded.name] = loaded
	return found


def explain(error: ValidationError) -> str:
	"""A validation error as one sentence a field."""
	return "; ".join(
		f"{'.'.join(map(str, item['loc'])) or 'input'}: {item['msg'].lower()}" for item in error.errors()
	)


def _load(path: str) -> Action:
	module, _, attribute = path.rpartition(".")
	try:
		found = getattr(getattr(import_module(module), attribute), MARK)
	except (ImportError, AttributeError, ValueError) as error:
		raise ActionError(f"The hook dogan_actions names {path}, which is no action: {error}") from error
	assert isinstance(found, Action)
	return found
