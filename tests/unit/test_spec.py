from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dogan_agents.engine.action import MARK, Context, action
from dogan_agents.engine.errors import SpecError
from dogan_agents.engine.spec import WorkflowSpec, load_definition, parse_definition


class Greeting(BaseModel):
	model_config = ConfigDict(extra="forbid")

	name: str
	times: int = Field(1, ge=1, le=5)
	loud: bool = Field(False, alias="isLoud")

	@model_validator(mode="after")
	def _not_both(self) -> "Greeting":
		if self.loud and self.times > 2:
			raise ValueError("too loud")
		return self


@action(title="Greet")
def greet(context: Context, input: Greeting) -> dict:
	return {}


ACTIONS = {"greet": getattr(greet, MARK)}


def step(name: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
	return {
		"step": name,
		"action": "greet",
		"input": {"name": "Ada"},
		"depends_on": list(depends_on),
		**fields,
	}


def parse(*steps: dict[str, Any], **fields: Any) -> WorkflowSpec:
	return parse_definition({"workflow": "w", "steps": list(steps), **fields}, ACTIONS)


REFUSED = [
	("no step", [], {}, "", "steps", "needs at least one step"),
	("shape of a step", [step("a", timeout=-1)], {}, "a", "timeout", "greater than or equal to 0"),
	("unknown field", [step("a", colour="red")], {}, "a", "colour", "not permitted"),
	("on_failure", [step("a", on_failure="Ignore")], {}, "a", "on_failure", "should be 'fail' or 'continue'"),
	("input is no dict", [step("a", input=[1])], {}, "a", "input", "dictionary"),
	("no name", [{"action": "greet"}], {}, "#1", "step", "field required"),
	("priority", [step("a")], {"priority": 10}, "", "priority", "less than or equal to 9"),
	("weight", [step("a")], {"weight": 0}, "", "weight", "greater than 0"),
	("bad name", [step("Ab")], {}, "Ab", "step", "starts with a letter"),
	("bad second name", [step("a"), step("1b")], {}, "1b", "step", "starts with a letter"),
	("empty name", [step("a"), step("")], {}, "#2", "step", "starts with a letter"),
	("long name", [step("a" * 61)], {}, "a" * 61, "step", "60 at most"),
	("repeated", [step("a"), step("a")], {}, "a", "step", "same name"),
	("unknown predecessor", [step("a", "z")], {}, "a", "depends_on", "there is no step z"),
	("predecessor twice", [step("a"), step("b", "a", "a")], {}, "b", "depends_on", "named twice"),
	("itself", [step("a", "a")], {}, "a", "depends_on", "cycle: a → a"),
	("fairness key", [step("a")], {"fairness_key": "{{ input.x"}, "", "fairness_key", "in: "),
	("unknown action", [step("a", action="fly")], {}, "a", "action", "there is no action fly"),
	("bad condition", [step("a", condition="input.x >")], {}, "a", "condition", "in: "),
	("unknown name in condition", [step("a", condition="doc.x")], {}, "a", "condition", "unknown name doc"),
	("bad template", [step("a", input={"name": "{{ x"})], {}, "a", "input", "in: "),
	("unknown name in template", [step("a", input={"name": "{{ x }}"})], {}, "a", "input", "unknown name x"),
	(
		"condition looks at a later step",
		[step("a", condition="steps.b.output"), step("b")],
		{},
		"a",
		"condition",
		"step b has not ended before this one",
	),
	(
		"input looks at itself",
		[step("a", input={"name": "{{ steps.a.output }}"})],
		{},
		"a",
		"input",
		"step a has not ended before this one",
	),
	(
		"key looks at steps",
		[step("a"), step("b", "a", concurrency_key="{{ steps.a.output }}", concurrency_limit=1)],
		{},
		"b",
		"concurrency_key",
		"run and input only",
	),
	("bad key", [step("a", concurrency_key="{{", concurrency_limit=1)], {}, "a", "concurrency_key", "in: "),
	("key without limit", [step("a", concurrency_key="x")], {}, "a", "concurrency_limit", "1 or more"),
	("missing input", [step("a", input={})], {}, "a", "input", "greet needs the field name"),
	(
		"unknown input",
		[step("a", input={"name": "x", "age": 3})],
		{},
		"a",
		"input",
		"no field age (it knows: name, times, isLoud)",
	),
	("wrong type", [step("a", input={"name": 3})], {}, "a", "input", "name: input should be a valid string"),
	(
		"out of bounds",
		[step("a", input={"name": "x", "times": 6})],
		{},
		"a",
		"input",
		"times: input should be less than",
	),
	(
		"as a whole",
		[step("a", input={"name": "x", "times": 3, "isLoud": True})],
		{},
		"a",
		"input",
		"too loud",
	),
]


@pytest.mark.parametrize(
	("steps", "fields", "where", "field", "reason"),
	[row[1:] for row in REFUSED],
	ids=[row[0] for row in REFUSED],
)
def test_refused_with_step_field_and_reason(steps, fields, where, field, reason):
	with pytest.raises(SpecError) as refused:
		parse(*steps, **fields)
	assert (refused.value.step, refused.value.field) == (where, field)
	assert reason in refused.value.reason
	assert field in str(refused.value) and reason in str(refused.value)


@pytest.mark.parametrize(
	"definition", [{}, {"workflow": "w"}, {"workflow": "w", "steps": "x"}, {"workflow": "w", "steps": ["x"]}]
)
def test_a_shapeless_definition_is_a_spec_error(definition):
	with pytest.raises(SpecError):
		parse_definition(definition, ACTIONS)


def test_a_cycle_is_named():
	with pytest.raises(SpecError, match=r"cycle: .* → .* → "):
		parse(step("a", "c"), step("b", "a"), step("c", "b"))


@pytest.mark.parametrize(
	"data",
	[
		{"name": "{{ input.name }}"},
		{"name": "Dear {{ run.name }}", "times": "{{ input.times }}"},
		{"name": "{% if input.x %}a{% endif %}"},
		{"name": "x", "isLoud": True},
	],
)
def test_accepted(data):
	parse(step("a", input=data))


def test_what_is_told_of_a_diamond():
	spec = parse(
		step("a"),
		step("b", "a", pool="mail", agent="ada", input={"name": "{{ steps.a.output.name }}"}),
		step("c", "a", condition="steps.a.status == 'Completed'"),
		step("d", "b", "c", input={"name": "{{ steps | length }}"}),
		pool="documents",
		agent="bot",
	)
	assert spec.roots == ("a",) and spec.leaves == ("d",) and spec.entry_pool == "documents"
	assert spec.successors["a"] == ("b", "c")
	assert [spec.pool_of(name) for name in "ab"] == ["documents", "mail"]
	assert [spec.agent_of(name) for name in "ab"] == ["bot", "ada"]
	assert spec.steps_read == {"a": set(), "b": {"a"}, "c": {"a"}, "d": {"a", "b", "c"}}


@given(
	st.lists(
		st.fixed_dictionaries(
			{
				"on_failure": st.sampled_from(["Fail", "Continue"]),
				"timeout": st.integers(0, 99),
				"pool": st.none() | st.just("p"),
			}
		),
		min_size=1,
		max_size=8,
	),
	st.data(),
)
def test_a_frozen_definition_is_read_as_it_was_written(fields, data):
	names = [f"s{index}" for index in range(len(fields))]
	steps = [
		step(
			name,
			*data.draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else (),
			**fields[index],
		)
		for index, name in enumerate(names)
	]
	spec = parse(*steps)
	assert load_definition(spec.model_dump(mode="json")) == spec
