"""A workflow's definition, as it is frozen in a version and read by the engine."""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from dogan_agents.engine import graph, template
from dogan_agents.engine.action import Action, explain
from dogan_agents.engine.errors import InputError, SpecError, TemplateError
from dogan_agents.engine.place import Policy, parse_labels

Placement = Literal["", "Round Robin", "Least Loaded", "Weighted", "Node", "Label", "Affinity"]
STEP_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


class StepSpec(BaseModel):
	model_config = ConfigDict(frozen=True, extra="forbid")

	step: str
	action: str
	agent: str | None = None
	pool: str | None = None
	depends_on: tuple[str, ...] = ()
	condition: str = ""
	input: dict[str, Any] = Field(default_factory=dict)
	on_failure: Literal["Fail", "Continue"] = "Fail"
	timeout: int = Field(0, ge=0)  # seconds; 0 = the settings' default
	max_attempts: int = Field(0, ge=0)  # 0 = the settings' default
	retry_delay: int = Field(0, ge=0)  # seconds before the first retry; 0 = the policy's default
	concurrency_key: str = ""
	concurrency_limit: int = Field(0, ge=0)
	external: bool = False
	placement: Placement = ""
	placement_value: str = Field("", max_length=200)
	placement_required: bool = False


class WorkflowSpec(BaseModel):
	model_config = ConfigDict(frozen=True, extra="forbid")

	workflow: str
	agent: str | None = None
	run_as: str | None = None
	pool: str = "default"
	priority: int = Field(5, ge=0, le=9)
	weight: float = Field(1.0, gt=0, le=1000)
	fairness_key: str = ""
	max_concurrent: int = Field(0, ge=0)
	placement: Placement = ""
	placement_value: str = Field("", max_length=200)
	placement_required: bool = False
	steps: tuple[StepSpec, ...]

	@cached_property
	def by_name(self) -> dict[str, StepSpec]:
		return {step.step: step for step in self.steps}

	@cached_property
	def predecessors(self) -> dict[str, tuple[str, ...]]:
		return {step.step: step.depends_on for step in self.steps}

	@cached_property
	def successors(self) -> dict[str, tuple[str, ...]]:
		return graph.successors(self.predecessors)

	@cached_property
	def roots(self) -> tuple[str, ...]:
		"""The steps that a run begins with."""
		return tuple(step.step for step in self.steps if not step.depends_on)

	@cached_property
	def leaves(self) -> tuple[str, ...]:
		return tuple(step for step, after in self.successors.items() if not after)

	@cached_property
	def steps_read(self) -> dict[str, frozenset[str]]:
		"""For each step, the earlier steps whose results its condition and input look at."""
		return {step.step: self._read(step) for step in self.steps}

	@cached_property
	def entry_pool(self) -> str:
		"""The pool to wake for a new run: that of its first step without predecessors."""
		return self.pool_of(self.roots[0])

	def pool_of(self, step: str) -> str:
		return self.by_name[step].pool or self.pool

	def agent_of(self, step: str) -> str | None:
		return self.by_name[step].agent or self.agent

	def placing_of(self, step: str) -> "StepSpec | WorkflowSpec":
		"""Where the step's placement is written: with the step, else with the workflow."""
		own = self.by_name[step]
		return own if own.placement else self

	def _read(self, step: StepSpec) -> frozenset[str]:
		known = graph.ancestors(self.predecessors, step.step)
		by_input = template.steps_used(step.input)
		by_condition = template.steps_used(step.condition, expression=True) if step.condition else frozenset()
		if by_input is None or by_condition is None:
			return known
		return (by_input | by_condition) & known


def parse_definition(definition: Mapping[str, Any], actions: Mapping[str, Action]) -> WorkflowSpec:
	"""The spec of a definition that may be run; SpecError tells the first step, field and reason otherwise."""
	spec = load_definition(definition)
	if not spec.steps:
		raise SpecError("a workflow needs at least one step", field="steps")
	_check_names(spec)
	graph.topological(spec.predecessors)
	_check_text(spec.fairness_key, "", "fairness_key")
	_check_placement(spec, "")
	for step in spec.steps:
		_check_step(spec, step, actions)
	return spec


def load_definition(definition: Mapping[str, Any]) -> WorkflowSpec:
	"""The spec of a frozen definition, checked for shape only."""
	try:
		return WorkflowSpec.model_validate(definition)
	except ValidationError as error:
		raise _shape_error(definition, error) from error


def _shape_error(definition: Mapping[str, Any], error: ValidationError) -> SpecError:
	first = error.errors()[0]
	location = first["loc"]
	if len(location) >= 3 and location[0] == "steps" and isinstance(location[1], int):
		name = definition["steps"][location[1]].get("step") or f"#{location[1] + 1}"
		return SpecError(first["msg"].lower(), step=str(name), field=str(location[2]))
	return SpecError(first["msg"].lower(), field=str(location[0]) if location else "")


def _check_names(spec: WorkflowSpec) -> None:
	seen: set[str] = set()
	for step in spec.steps:
		if not STEP_NAME.fullmatch(step.step):
			raise SpecError(
				"a step's name starts with a letter and has only a-z, 0-9 and _ (60 at most)",
				step=step.step or "#" + str(len(seen) + 1),
				field="step",
			)
		if step.step in seen:
			raise SpecError("another step has the same name", step=step.step, field="step")
		seen.add(step.step)
	for step in spec.steps:
		for name in step.depends_on:
			if name not in seen:
				raise SpecError(f"there is no step {name}", step=step.step, field="depends_on")
		if len(set(step.depends_on)) != len(step.depends_on):
			raise SpecError("a predecessor is named twice", step=step.step, field="depends_on")


def _check_step(spec: WorkflowSpec, step: StepSpec, actions: Mapping[str, Action]) -> None:
	if step.action not in actions:
		raise SpecError(f"there is no action {step.action}", step=step.step, field="action")
	_check_condition(step)
	_check_text(step.input, step.step, "input")
	_check_text(step.concurrency_key, step.step, "concurrency_key")
	if template.steps_used(step.concurrency_key) != frozenset():
		raise SpecError("it may use run and input only", step=step.step, field="concurrency_key")
	_check_placement(step, step.step)
	if step.concurrency_key and not step.concurrency_limit:
		raise SpecError("a key needs a limit of 1 or more", step=step.step, field="concurrency_limit")
	for field, used in _uses(step):
		for name in sorted((used or frozenset()) - graph.ancestors(spec.predecessors, step.step)):
			raise SpecError(f"step {name} has not ended before this one", step=step.step, field=field)
	action = actions[step.action]
	for reason in chain(input_faults(action, step.input), _whole_fault(action, step.input)):
		raise SpecError(reason, step=step.step, field="input")


def _uses(step: StepSpec) -> Iterator[tuple[str, frozenset[str] | None]]:
	yield "input", template.steps_used(step.input)
	if step.condition:
		yield "condition", template.steps_used(step.condition, expression=True)


def _check_placement(spec: "StepSpec | WorkflowSpec", step: str) -> None:
	value = spec.placement_value.strip()
	if spec.placement in (Policy.NODE.value, Policy.AFFINITY.value) and not value:
		what = (
			"the node's name"
			if spec.placement == Policy.NODE.value
			else "a key, such as {{ input.customer }}"
		)
		raise SpecError(
			f"placement by {spec.placement.lower()} needs {what}", step=step, field="placement_value"
		)
	if spec.placement == Policy.LABEL.value and not parse_labels(value):
		raise SpecError("labels are written like region=eu, gpu=1", step=step, field="placement_value")
	if spec.placement == Policy.AFFINITY.value:
		_check_text(value, step, "placement_value")
		if template.steps_used(value) != frozenset():
			raise SpecError("it may use run and input only", step=step, field="placement_value")


def _check_condition(step: StepSpec) -> None:
	if step.condition:
		try:
			template.check_expression(step.condition)
		except TemplateError as error:
			raise SpecError(str(error), step=step.step, field="condition") from error


def _check_text(value: Any, step: str, field: str) -> None:
	try:
		template.check_template(value)
	except TemplateError as error:
		raise SpecError(str(error), step=step, field=field) from error


def input_faults(action: Action, data: Mapping[str, Any]) -> Iterator[str]:
	"""What does not fit the action's schema, as far as it can be known before templates are rendered."""
	fields = action.input_model.model_fields
	by_key = {(field.alias or name): field for name, field in fields.items()}
	if action.input_model.model_config.get("extra") == "forbid":
		for key in data:
			if key not in by_key:
				known = ", ".join(by_key) or "none"
				yield f"{action.name} knows no field {key} (it knows: {known})"
	for key, field in by_key.items():
		if key not in data:
			if field.is_required():
				yield f"{action.name} needs the field {key}"
		elif not template.is_template(data[key]):
			try:
				_adapter(field).validate_python(data[key])
			except ValidationError as error:
				yield f"{key}: {explain(error).removeprefix('input: ')}"


def _whole_fault(action: Action, data: Mapping[str, Any]) -> Iterator[str]:
	"""What the schema says of an input that holds no templates, as a whole."""
	if not template.is_template(data):
		try:
			action.parse(data)
		except InputError as error:
			yield str(error)


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
	"""The type of a field with its bounds."""
	kind: Any = field.annotation
	for bound in field.metadata:
		kind = Annotated[kind, bound]
	return TypeAdapter(kind)
