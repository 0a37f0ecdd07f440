"""Starting, cancelling, retrying; attempts and timers."""

import threading

import pytest
from pydantic import BaseModel

from dogan_agents.engine import runs
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import NotFound, PayloadError, PermanentError, StateError, TemplateError
from tests.engine.world import USER, step

SWITCH = threading.Event()


class Nothing(BaseModel):
	pass


@action(title="Switch", pure=True)
def switch(context: Context, input: Nothing) -> None:
	if not SWITCH.is_set():
		raise PermanentError("switched off")


@pytest.fixture
def version(world) -> str:
	return world.define(step("a", action="effect"), step("b", "a", action="effect"))


def test_what_a_started_run_holds(world, version):
	run = world.start(
		version,
		{"x": 1},
		reference_doctype="Lead",
		reference_name="L-1",
		priority=7,
		trigger="mail",
		idempotency_key="k",
	)
	columns = (
		"status",
		"workflow",
		"version",
		"input",
		"user",
		"owner",
		"reference_doctype",
		"reference_name",
	)
	assert world.of_run(run, *columns) == ("Queued", "w", "w-v1", '{"x":1}', USER, USER, "Lead", "L-1")
	assert world.of_run(run, "priority", "`trigger`", "idempotency_key") == (7, "mail", "k")


def test_run_as_replaces_the_user(world):
	run = world.start(world.define(step("a"), run_as="bot@example.com"))
	assert world.of_run(run, "user", "owner") == ("bot@example.com", USER)


def test_what_is_rolled_back_was_never_started(world, version):
	world.db.begin()
	runs.start(world.host, world.db, runs.StartRequest(version, USER), world.now())
	world.db.rollback()
	assert world.drain().performed == 0


def test_what_cannot_be_started(world, version):
	with pytest.raises(PayloadError, match=r"The run's input is 1\.0"):
		world.start(version, "x" * 1_000_000)
	with pytest.raises(NotFound, match="no workflow version nowhere"):
		world.start("nowhere")
	keyed = world.define(step("a"), workflow="keyed", fairness_key="{{ input.company }}")
	with pytest.raises(TemplateError, match="company"):
		world.start(keyed, {})


class TestIdempotencyKey:
	def test_the_same_key_is_the_same_run(self, world, version):
		first = world.start(version, idempotency_key="k")
		assert world.start(version, {"other": "input"}, idempotency_key="k") == first
		world.drain()
		assert world.start(version, idempotency_key="k") == first
		assert world.effects() == {f"{first}-a": 1, f"{first}-b": 1}

	@pytest.mark.parametrize(
		("one", "other"), [("Müller-7", "muller-7"), ("k", "K"), ("k", "k "), ("ß", "ss")]
	)
	def test_keys_are_compared_exactly(self, world, version, one, other):
		assert world.start(version, idempotency_key=one) != world.start(version, idempotency_key=other)

	def test_each_workflow_has_its_own(self, world, version):
		other = world.define(step("a"), workflow="other")
		assert world.start(version, idempotency_key="k") != world.start(other, idempotency_key="k")

	def test_from_many_connections_at_once(self, world, version):
		started: list[runs.Started] = []
		together = threading.Barrier(4)

		def start() -> None:
			host = world.another_host()
			host.spec(version)
			together.wait()
			for number in range(20):
				host.own.begin()
				request = runs.StartRequest(version, USER, idempotency_key=f"k{number}")
				started.append(runs.start(host, host.own, request, 1))
				host.own.commit()

		threads = [threading.Thread(target=start) for _ in range(4)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(30)
		assert len(started) == 80 and len({each.run for each in started}) == 20
		assert sum(each.created for each in started) == 20
		assert world.value("SELECT COUNT(*) FROM `tabDogan Run`") == 20

	def test_who_waits_for_one_that_is_rolled_back_starts_it_himself(self, world, version):
		other = world.another_host()
		world.host.spec(version)
		results: list[runs.Started] = []

		def start() -> None:
			other.own.begin()
			results.append(
				runs.start(other, other.own, runs.StartRequest(version, USER, idempotency_key="k"), 1)
			)
			other.own.commit()

		world.db.begin()
		runs.start(world.host, world.db, runs.StartRequest(version, USER, idempotency_key="k"), 1)
		thread = threading.Thread(target=start)
		thread.start()
		thread.join(0.3)
		assert results == []
		world.db.rollback()
		thread.join(30)
		assert results[0].created and world.status(results[0].run) == "Queued"


class TestCancel:
	def test_before_it_was_admitted_and_again(self, world, version):
		run = world.start(version)
		world.cancel(run)
		world.drain()
		assert (world.status(run), world.steps(run)) == ("Cancelled", {})
		assert world.retry(run) == {("default", "")}
		world.drain()
		assert world.status(run) == "Completed"

	def test_while_it_waits(self, world):
		run = world.run(step("a", action="wait", input={"seconds": 600}), step("b", "a"))
		assert world.status(run) == "Waiting"
		world.cancel(run)
		assert world.steps(run) == {"a": "Cancelled", "b": "Cancelled"}

	def test_what_has_ended_stays(self, world):
		run = world.run(step("a"))
		with pytest.raises(StateError, match="A run that is Completed cannot become Cancelled"):
			world.cancel(run)
		with pytest.raises(NotFound, match="no run nowhere"):
			world.cancel("nowhere")

	def test_it_leaves_what_was_done(self, world):
		run = world.run(step("a", action="effect"), step("b", "a", action="wait", input={"seconds": 600}))
		world.cancel(run)
		assert world.steps(run) == {"a": "Completed", "b": "Cancelled"}
		assert world.effects() == {f"{run}-a": 1}
		world.retry(run)
		assert world.steps(run) == {"a": "Completed", "b": "Ready"}
		world.drain()
		assert world.steps(run)["b"] == "Waiting"
		world.cancel(run)


class TestRetryOfARun:
	def test_of_a_failed_one(self, world):
		SWITCH.clear()
		world.add_actions(switch)
		run = world.run(
			step("start", action="effect"),
			step("a", "start", action="switch"),
			step("side", "start", condition="false"),
			step("b", "a", action="effect"),
			step("c", "b", "side", action="effect"),
		)
		assert world.steps(run) == {
			"start": "Completed",
			"a": "Failed",
			"side": "Skipped",
			"b": "Cancelled",
			"c": "Cancelled",
		}
		SWITCH.set()
		assert world.retry(run) == {("default", "")}
		assert world.of_run(run, "status", "error", "failing", "ended_at") == ("Running", None, 0, None)
		assert world.steps(run) == {
			"start": "Completed",
			"a": "Ready",
			"side": "Skipped",
			"b": "Pending",
			"c": "Pending",
		}
		world.check()
		world.drain()
		assert world.status(run) == "Completed"
		assert world.effects() == {f"{run}-start": 1, f"{run}-b": 1, f"{run}-c": 1}

	def test_it_waits_for_what_still_runs(self, world):
		"""Of two branches one failed, while the other still runs: the retry must not overtake it."""
		run = world.start(world.define(step("a"), step("b"), step("end", "a", "b", action="effect")))
		world.claim(2)
		world.finish(run, "a", "Failed")
		assert world.steps(run) == {"a": "Failed", "b": "Running", "end": "Cancelled"}
		world.retry(run)
		assert world.steps(run) == {"a": "Ready", "b": "Running", "end": "Pending"}
		assert world.of_task(run, "end", "waiting_on") == 2
		world.drain()
		assert world.steps(run) == {"a": "Completed", "b": "Running", "end": "Pending"}
		world.finish(run, "b", "Completed")
		world.drain()
		assert world.status(run) == "Completed" and world.effects() == {f"{run}-end": 1}

	def test_a_failure_that_was_allowed_is_not_repeated(self, world):
		run = world.run(
			step("a", action="fault", input={"kind": "permanent"}, on_failure="Continue"),
			step("b", "a", action="fault", input={"kind": "permanent"}),
		)
		world.retry(run)
		assert world.steps(run) == {"a": "Failed", "b": "Ready"}
		world.drain()
		assert world.status(run) == "Failed"

	@pytest.mark.parametrize(
		("steps", "status"),
		[
			([step("a")], "Completed"),
			([step("a", action="fault", input={"kind": "permanent"}, on_failure="Continue")], "Completed"),
			([step("a", action="wait", input={"seconds": 600})], "Waiting"),
			(
				[
					step("a", action="fault", input={"kind": "permanent"}, on_failure="Continue"),
					step("b", "a", action="wait", input={"seconds": 600}),
				],
				"Waiting",
			),
		],
	)
	def test_where_there_is_nothing_to_retry(self, world, steps, status):
		run = world.run(*steps)
		with pytest.raises(StateError, match=f"is {status} and has no failed, parked or cancelled step"):
			world.retry(run)
		assert world.status(run) == status


class TestAttempts:
	def test_a_temporary_error_is_tried_again_after_its_delay(self, world):
		run = world.run(
			step("a", action="fault", input={"kind": "temporary", "until_attempt": 3}, retry_delay=1)
		)
		status, attempt, due, error, kind = world.of_task(
			run, "a", "status", "attempt", "due", "error", "error_kind"
		)
		assert (status, attempt, error, kind) == (
			"Waiting",
			1,
			"TemporaryError: out of order for a while",
			"Temporary",
		)
		assert 0 < due - world.now() <= 1_000_000
		assert world.status(run) == "Waiting"
		world.sweep_and_drain()
		assert world.of_task(run, "a", "attempt") == 1, "not before it is due"
		for attempt in (2, 3):
			world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
			world.sweep_and_drain()
			assert world.of_task(run, "a", "attempt") == attempt
		assert world.of_task(run, "a", "status", "output", "error") == ("Completed", '{"attempt":3}', None)

	def test_it_fails_when_its_attempts_are_used_up(self, world):
		run = world.run(step("a", action="fault", input={"kind": "temporary"}, max_attempts=2))
		world.db.execute("UPDATE `tabDogan Task` SET due = 1")
		world.sweep_and_drain()
		assert world.of_task(run, "a", "status", "attempt") == ("Failed", 2)

	def test_a_wait_costs_no_attempt_and_holds_nobody(self, world):
		run = world.run(step("a", action="wait", input={"seconds": 600}), step("b", "a"))
		assert world.of_task(run, "a", "status", "attempt", "running_on") == ("Waiting", 0, None)
		assert world.status(run) == "Waiting"
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		assert world.sweep().due == 1
		assert world.status(run) == "Running"
		world.drain()
		assert world.of_task(run, "a", "status", "attempt") == ("Completed", 1)
		assert world.status(run) == "Completed"

	def test_a_real_wait(self, world):
		run = world.run(step("a", action="wait", input={"seconds": 0.3}))
		world.until(lambda: world.status(run) == "Completed")

	def test_thousands_of_timers_at_once_keep_nobody_waiting(self, world):
		waiting = world.define(step("a", action="wait", input={"seconds": 600}), workflow="waiting")
		world.start_many(waiting, [None] * 1200)
		world.drain()
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		one = world.start(world.define(step("a"), workflow="one"))
		assert world.sweep().due == 1200
		world.claim(5)
		assert world.steps(one) == {"a": "Running"}
		world.release_all()
