"""How a run goes through its graph."""

import json

import pytest
from pydantic import BaseModel

from dogan_agents.engine import perform
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import PermanentError
from dogan_agents.host.lab import database
from tests.engine.world import step

DIAMOND = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c")]


class Size(BaseModel):
	size: int


class Broken(BaseModel):
	fail: bool = False


@action(title="Big")
def big(context: Context, input: Size) -> dict:
	database.get().execute(
		"INSERT INTO lab_effect (task, step, token) VALUES (%s, 'big', 0)", (context.task,)
	)
	return "x" * (input.size - 2)


@action(title="Broken characters")
def broken(context: Context, input: Broken) -> str:
	if input.fail:
		raise PermanentError("\ud800")
	return "\udce4"


@pytest.fixture(autouse=True)
def more_actions(world):
	world.add_actions(big, broken)


def test_a_diamond(world):
	run = world.run(*DIAMOND)
	assert world.steps(run) == dict.fromkeys("abcd", "Completed")
	assert world.of_run(run, "status", "tasks_total", "tasks_open", "tasks_active", "error") == (
		"Completed",
		4,
		0,
		0,
		None,
	)
	assert world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE started_at <= ended_at") == 1
	assert (
		world.value(
			"SELECT COUNT(*) FROM `tabDogan Task` WHERE ready_at <= started_at AND started_at <= ended_at"
		)
		== 4
	)
	assert (
		world.value(
			"SELECT COUNT(*) FROM `tabDogan Task` WHERE attempt = 1 AND lease_token = 1 AND node = 'test'"
		)
		== 4
	)


def test_many_diamonds(world):
	world.start_many(world.define(*DIAMOND), [None] * 300)
	assert world.drain().performed == 1200
	assert world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Completed'") == 300


def test_a_wide_graph(world):
	middle = [f"m{number}" for number in range(150)]
	run = world.run(step("a"), *(step(name, "a") for name in middle), step("z", *middle))
	assert set(world.steps(run).values()) == {"Completed"}


def test_steps_in_several_pools(world):
	run = world.run(step("a"), step("b", "a", pool="mail"), step("c", "b"))
	assert world.steps(run) == {"a": "Completed", "b": "Ready", "c": "Pending"}
	world.drain("mail")
	world.drain()
	assert world.status(run) == "Completed"


@pytest.mark.parametrize(
	("amount", "steps"),
	[
		(
			5,
			{
				"a": "Completed",
				"big": "Skipped",
				"after_big": "Completed",
				"only_if_big": "Skipped",
				"end": "Completed",
			},
		),
		(500, dict.fromkeys(["a", "big", "after_big", "only_if_big", "end"], "Completed")),
	],
)
def test_successors_of_a_skipped_step_decide_for_themselves(world, amount, steps):
	run = world.run(
		step("a"),
		step("big", "a", condition="input.amount > 100"),
		step("after_big", "big"),
		step("only_if_big", "big", condition="steps.big.status == 'Completed'"),
		step("end", "after_big", "only_if_big"),
		input={"amount": amount},
	)
	assert world.steps(run) == steps
	assert world.status(run) == "Completed"


def test_a_run_of_skipped_steps_is_complete(world):
	run = world.run(step("a", condition="false"), step("b", "a", condition="steps.a.status != 'Skipped'"))
	assert (world.status(run), world.of_run(run, "output")) == ("Completed", None)


def test_a_failed_step_fails_the_run_and_calls_off_the_rest(world):
	run = world.run(
		step("a", action="fault", input={"kind": "permanent"}),
		step("b", action="wait", input={"seconds": 600}),
		step("c", "a"),
		step("d", "b"),
	)
	assert world.steps(run) == {"a": "Failed", "b": "Cancelled", "c": "Cancelled", "d": "Cancelled"}
	status, error = world.of_run(run, "status", "error")
	assert status == "Failed" and error == "a: PermanentError: out of order for good"
	assert world.of_task(run, "a", "error_kind", "attempt") == ("Permanent", 1)


def test_a_failed_step_that_says_continue_does_not(world):
	run = world.run(
		step("a", action="fault", input={"kind": "permanent"}, on_failure="Continue"),
		step("b", "a", input={"echo": "{{ steps.a.status }}: {{ steps.a.error }}"}),
	)
	assert world.steps(run) == {"a": "Failed", "b": "Completed"}
	assert world.status(run) == "Completed"
	assert json.loads(world.of_run(run, "output"))["echo"] == "Failed: PermanentError: out of order for good"


def test_what_is_passed_on_keeps_its_type(world):
	run = world.run(
		step("a", input={"value": "{{ input.start }}"}),
		step(
			"b",
			"a",
			input={
				"value": "{{ steps.a.output.value }}",
				"echo": {"x": ["{{ steps.a.output }}", "{{ run.user }}"]},
			},
		),
		input={"start": 41},
	)
	assert json.loads(world.of_task(run, "b", "input")) == {
		"value": 42,
		"echo": {"x": [{"value": 42}, "ada@example.com"]},
	}
	assert json.loads(world.of_task(run, "b", "output")) == {
		"value": 43,
		"echo": {"x": [{"value": 42}, "ada@example.com"]},
	}


@pytest.mark.parametrize(
	("steps", "output"),
	[
		([step("a", input={"value": 1})], {"value": 2}),
		([step("a"), step("b", "a", input={"value": 5})], {"value": 6}),
		([step("a"), step("b", input={"value": 5})], {"a": {"value": 1}, "b": {"value": 6}}),
		([step("a"), step("b", condition="false")], {"a": {"value": 1}}),
	],
	ids=["one step", "the last step", "each last step by name", "those that have one"],
)
def test_the_output_of_a_run(world, steps, output):
	assert json.loads(world.of_run(world.run(*steps), "output")) == output


@pytest.mark.parametrize(
	("fields", "message"),
	[
		({"condition": "input.missing > 3"}, "'dict object' has no attribute 'missing'"),
		({"input": {"value": "{{ input.missing }}"}}, "has no attribute 'missing' in: {{ input.missing }}"),
		({"input": {"value": "{{ input.word }}"}}, "value: input should be a valid integer"),
		({"input": {"value": "{{ input.word / 2 }}"}}, "unsupported operand"),
		({"input": {"value": 1, "echo": "{{ input.word.__class__ }}"}}, "access to attribute '__class__'"),
	],
)
def test_what_cannot_be_rendered_fails_the_step_at_once(world, fields, message):
	run = world.run(step("a", **fields), input={"word": "word"})
	kind, error, attempt = world.of_task(run, "a", "error_kind", "error", "attempt")
	assert (world.status(run), kind, attempt) == ("Failed", "Input", 1)
	assert message in error


def test_more_than_a_megabyte_is_not_passed_on_and_nothing_stays(world):
	run = world.run(step("a", action="big", input={"size": 1_000_001}))
	assert world.status(run) == "Failed"
	assert "The output of step a is 1.00 MB; at most 1 MB is passed on" in world.of_task(run, "a", "error")
	assert world.of_task(run, "a", "output") is None
	assert world.effects() == {}


def test_a_batch_of_megabytes_is_more_than_one_statement_can_hold(world, monkeypatch):
	monkeypatch.setattr(perform, "GROUP_SECONDS", 60.0)
	version = world.define(step("a", action="big", input={"size": "{{ input }}"}))
	world.start_many(version, list(range(990_000, 990_040)))
	world.drain()
	assert world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Completed'") == 40


def test_broken_characters_stop_nobody(world):
	good = world.start(world.define(step("a"), workflow="good"))
	bad = world.run(step("a", action="broken"), step("b", "a", action="broken", input={"fail": True}))
	assert world.status(good) == "Completed"
	assert world.of_task(bad, "a", "output") == '"\ufffd"'
	assert "\ufffd" in world.of_task(bad, "b", "error")
