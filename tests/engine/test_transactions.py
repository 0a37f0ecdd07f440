"""Group commits, the fence, and what an error leaves behind: nothing."""

import time

import pytest
from pydantic import BaseModel

from dogan_agents.engine import perform
from dogan_agents.engine.action import Context, action
from dogan_agents.host.lab import database
from tests.engine.world import step, until

CALLS: list[str] = []


class Nothing(BaseModel):
	pass


class Sql(BaseModel):
	sql: str
	sleep: float = 0


def note(context: Context) -> None:
	CALLS.append(context.task)
	database.get().execute(
		"INSERT INTO lab_effect (task, step, token) VALUES (%s, %s, 0)", (context.task, context.step)
	)


@action(title="SQL")
def sql(context: Context, input: Sql) -> None:
	note(context)
	database.get().execute(input.sql)
	time.sleep(input.sleep)


@action(title="Outside", external=True)
def outside(context: Context, input: Sql) -> None:
	sql(context, input)


@action(title="Close the connection")
def hang_up(context: Context, input: Nothing) -> None:
	note(context)
	database.get().execute(f"KILL {database.get().query('SELECT CONNECTION_ID()')[0][0]}")


@action(title="Write and wait")
def write_and_wait(context: Context, input: Nothing) -> None:
	note(context)
	if not context.waited_until:
		context.wait_until(0)


@pytest.fixture(autouse=True)
def more_actions(world):
	CALLS.clear()

	class Victim(BaseModel):
		run: str

	def thief(context: Context, input: Victim) -> None:
		steal(world, input.run)

	thief.__annotations__["input"] = Victim
	world.add_actions(sql, outside, hang_up, write_and_wait, action(title="Thief", pure=True)(thief))


def commits(world) -> int:
	return int(world.db.query("SHOW GLOBAL STATUS LIKE 'Com_commit'")[0][1])


def steal(world, run: str) -> None:
	"""Take a step's lease away from its worker, as a sweep would."""
	world.db.execute(
		"UPDATE `tabDogan Task` SET lease_token = lease_token + 1 WHERE name = %s", (f"{run}-a",)
	)


def test_quick_steps_share_a_transaction(world):
	world.start_many(world.define(step("a", action="effect")), [None] * 100)
	before = commits(world)
	assert world.drain().performed == 100
	assert len(world.effects()) == 100
	assert commits(world) - before < 40


def test_a_long_step_ends_its_group(world, monkeypatch):
	monkeypatch.setattr(perform, "GROUP_SECONDS", 0.0)
	world.start_many(world.define(step("a", action="effect")), [None] * 10)
	before = commits(world)
	world.drain()
	assert commits(world) - before >= 10


def test_write_and_fail_leaves_no_row_and_spares_the_others(world):
	fine = world.define(step("a", action="effect"), workflow="fine")
	wrong = world.define(
		step("a", action="fault", input={"kind": "write and fail"}, max_attempts=1), workflow="wrong"
	)
	runs = world.start_many(fine, [None] * 5)
	bad = world.start(wrong)
	runs += world.start_many(fine, [None] * 5)
	world.drain()
	assert {world.status(run) for run in runs} == {"Completed"} and world.status(bad) == "Failed"
	assert world.effects() == {f"{run}-a": 1 for run in runs}
	assert world.of_task(bad, "a", "error") == "RuntimeError: a bug in the action"


def test_a_deadlock_voids_the_group_and_its_steps_are_performed_alone(world):
	fine = world.define(step("a", action="effect"), workflow="fine")
	dead = world.define(
		step("a", action="fault", input={"kind": "deadlock"}, max_attempts=1), workflow="dead"
	)
	runs = world.start_many(fine, [None] * 5)
	bad = world.start(dead)
	runs += world.start_many(fine, [None] * 5)
	world.drain()
	assert {world.status(run) for run in runs} == {"Completed"}
	assert world.effects() == {f"{run}-a": 1 for run in runs}
	assert world.of_task(bad, "a", "status", "error_kind", "attempt") == ("Waiting", "Deadlock", 1)


def test_a_real_deadlock_passes(world):
	world.db.execute("INSERT INTO lab_lead (email) VALUES ('a'), ('b')")
	both = "UPDATE lab_lead SET lead_name = CONCAT(lead_name, 'x') WHERE email = '{}'"
	version = world.define(
		step("a", action="sql", input={"sql": both.format("{{ input.first }}"), "sleep": 0.2}),
		step("b", action="sql", input={"sql": both.format("{{ input.second }}"), "sleep": 0.2}),
	)
	runs = world.start_many(version, [{"first": "a", "second": "b"}, {"first": "b", "second": "a"}])
	for thread in world.drain_in_threads(2):
		thread.join(30)
	world.until(lambda: {world.status(run) for run in runs} == {"Completed"})
	assert set(world.effects().values()) == {1} and len(world.effects()) == 4
	assert world.db.query("SELECT lead_name FROM lab_lead") == (("xx",), ("xx",))


def test_a_step_that_loses_its_connection_fails_by_its_policy_and_spares_the_others(world):
	fine = world.define(step("a", action="effect"), workflow="fine")
	runs = world.start_many(fine, [None] * 3)
	bad = world.start(world.define(step("a", action="hang_up", max_attempts=1), workflow="bad"))
	runs += world.start_many(fine, [None] * 3)
	world.drain()
	assert {world.status(run) for run in runs} == {"Completed"}
	assert world.effects() == {f"{run}-a": 1 for run in runs}
	assert world.of_task(bad, "a", "status", "error_kind") == ("Failed", "Connection")


def test_a_timeout_in_a_group_spares_the_others(world):
	fine = world.define(step("a", action="effect"), workflow="fine")
	slow = world.define(
		step("a", action="effect", input={"seconds": 30}, timeout=1, max_attempts=1), workflow="slow"
	)
	runs = world.start_many(fine, [None] * 3)
	late = world.start(slow)
	runs += world.start_many(fine, [None] * 3)
	world.drain()
	assert {world.status(run) for run in runs} == {"Completed"}
	assert world.effects() == {f"{run}-a": 1 for run in runs}
	assert world.of_task(late, "a", "status", "error_kind") == ("Failed", "Timeout")
	assert (
		world.of_task(late, "a", "error")
		== "StepTimeout: The step ran longer than its time limit of 1 seconds."
	)


def test_a_timeout_in_the_middle_of_a_query(world):
	run = world.run(step("a", action="sql", input={"sql": "SELECT SLEEP(3)"}, timeout=1, max_attempts=1))
	assert world.of_task(run, "a", "status", "error_kind") == ("Failed", "Timeout")
	assert world.effects() == {}


def test_the_default_timeout(world):
	world.db.execute("UPDATE tabSingles SET value = '1' WHERE field = 'default_timeout'")
	run = world.run(step("a", action="effect", input={"seconds": 30}, max_attempts=1))
	assert world.of_task(run, "a", "error_kind") == "Timeout"


@pytest.mark.parametrize("act", ["sql", "outside"])
def test_the_fence_refuses_a_result_whose_lease_was_lost(world, act):
	version = world.define(step("a", action=act, input={"sql": "DO 0", "sleep": 0.3}), step("b", "a"))
	run = world.start(version)
	(thread,) = world.drain_in_threads(1)
	until(lambda: world.steps(run).get("a") == "Running")
	steal(world, run)
	thread.join(30)
	assert len(CALLS) == 1, "it was performed"
	assert any(
		line == f"{run}-a: its lease was lost; nothing of attempt 1 was written" for line in world.logged
	)
	assert world.effects() == {}
	assert world.steps(run) == {"a": "Running", "b": "Pending"}
	world.sweep_and_drain()
	assert world.steps(run) == {"a": "Completed", "b": "Completed"}
	assert world.effects() == {f"{run}-a": 1}


def test_the_rest_of_a_refused_group_is_performed_again(world):
	"""The thief takes its neighbour's lease while both are in one group."""
	fine = world.start_many(world.define(step("a", action="effect"), workflow="fine"), [None] * 4)
	taken = world.start(world.define(step("a", action="effect"), workflow="taken"))
	world.start(world.define(step("a", action="thief", input={"run": taken}), workflow="thief"))
	world.drain()
	assert {world.status(run) for run in fine} == {"Completed"}
	assert world.effects() == {f"{run}-a": 1 for run in fine}
	assert f"{taken}-a: its lease was lost; nothing of attempt 1 was written" in world.logged
	world.sweep_and_drain()
	assert world.effects() == {f"{run}-a": 1 for run in [*fine, taken]}


@pytest.mark.parametrize("act", ["sql", "outside"])
def test_what_a_cancelled_step_was_doing_is_refused_and_not_done_again(world, act):
	run = world.start(
		world.define(step("a", action=act, input={"sql": "DO 0", "sleep": 0.3}), step("b", "a"))
	)
	(thread,) = world.drain_in_threads(1)
	until(lambda: world.steps(run).get("a") == "Running")
	world.cancel(run)
	thread.join(30)
	assert CALLS == [f"{run}-a"]
	assert world.effects() == {}
	assert world.steps(run) == {"a": "Cancelled", "b": "Cancelled"}
	assert world.status(run) == "Cancelled"


def test_what_was_written_before_a_wait_is_written_again_after_it_and_only_then(world):
	run = world.run(step("a", action="write_and_wait"))
	assert (world.status(run), world.effects()) == ("Waiting", {})
	world.sweep_and_drain()
	assert (world.status(run), world.effects()) == ("Completed", {f"{run}-a": 1})


def test_a_worker_outlives_a_database_that_goes_away(world, lab):
	runs = world.start_many(world.define(step("a", action="effect", input={"seconds": 0.1})), [None] * 10)
	(thread,) = world.drain_in_threads(1)
	until(lambda: world.effects())
	lab.kill_mariadb()
	time.sleep(0.5)
	lab.start_mariadb()
	world.db.reset()
	thread.join(60)
	world.until(lambda: {world.status(run) for run in runs} == {"Completed"})
	assert world.effects() == {f"{run}-a": 1 for run in runs}
	assert set(world.db.query("SELECT crashes FROM `tabDogan Task`")) == {(0,)}
