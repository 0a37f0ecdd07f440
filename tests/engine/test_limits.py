"""Limits that hold over all workers at once, and end when they are lifted."""

import threading
import time
from collections import defaultdict

import pytest
from pydantic import BaseModel

from dogan_agents.engine import limits
from dogan_agents.engine.action import Context, action
from dogan_agents.host import tables
from tests.engine.world import step, until

LOCK = threading.Lock()
NOW: dict[str, set[str]] = defaultdict(set)  # label → workers that perform it at this moment
MOST: dict[str, int] = defaultdict(int)
DONE: list[str] = []


class Watch(BaseModel):
	label: str = "all"
	seconds: float = 0.02


@action(title="Watched", pure=True)
def watched(context: Context, input: Watch) -> None:
	worker = threading.current_thread().name
	with LOCK:
		NOW[input.label].add(worker)
		MOST[input.label] = max(MOST[input.label], len(NOW[input.label]))
	time.sleep(input.seconds)
	with LOCK:
		NOW[input.label].remove(worker)
		DONE.append(context.task)


@pytest.fixture(autouse=True)
def watch(world, monkeypatch):
	for kept in (NOW, MOST, DONE):
		kept.clear()
	world.add_actions(watched)
	monkeypatch.setattr(tables, "KEEP_SECONDS", 0.0)


def make_agent(world, name: str = "bot", **fields) -> None:
	values = {"name": name, "agent_name": name, "enabled": 1, **fields}
	world.db.execute(
		f"INSERT INTO `tabDogan Agent` ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
		list(values.values()),
	)


def set_setting(world, field: str, value: int) -> None:
	world.db.execute("UPDATE tabSingles SET value = %s WHERE field = %s", (value, field))


def linger(world, seconds: int = 1) -> None:
	"""Drains wait for more work."""
	world.db.execute("UPDATE `tabDogan Pool` SET idle_seconds = %s", (seconds,))


def work_off(world, workers: int, runs: list[str]) -> None:
	linger(world)
	threads = world.drain_in_threads(workers)
	until(lambda: world.sweep() and {world.status(run) for run in runs} == {"Completed"}, 60)
	for thread in threads:
		thread.join(30)


def count(world, status: str, table: str = "Task") -> int:
	return world.value(f"SELECT COUNT(*) FROM `tabDogan {table}` WHERE status = %s", status)


def waits(world) -> list[int]:
	return [row[0] for row in world.db.query("SELECT due FROM `tabDogan Task` WHERE due > 0 ORDER BY due")]


class TestAgent:
	@pytest.mark.parametrize("most", [1, 2])
	def test_no_more_workers_at_once_than_it_may(self, world, most):
		make_agent(world, max_concurrent=most)
		runs = world.start_many(world.define(step("a", action="watched"), agent="bot"), [None] * 30)
		work_off(world, 3, runs)
		assert MOST["all"] <= most and len(DONE) == 30

	def test_others_are_not_kept_waiting_and_leave_the_queue(self, world):
		make_agent(world, max_concurrent=1)
		limited = world.define(step("a"), workflow="limited", agent="bot")
		world.start_many(limited, [None] * 300)
		world.claim(1, "first")
		free = world.start(world.define(step("a"), workflow="free"))
		host = world.another_host("second")
		assert world.drain(host=host).performed == 1
		assert world.status(free) == "Completed"
		assert count(world, "Blocked") > 100
		assert world.sweep().unblocked == 0
		world.release_all()
		world.sweep_and_drain()
		world.until(lambda: count(world, "Completed") == 301)

	def test_a_drain_looks_behind_all_that_are_blocked(self, world):
		make_agent(world, max_concurrent=1)
		limited = world.define(step("a"), workflow="limited", agent="bot", priority=9)
		world.start_many(limited, [None] * 300)
		free = world.start(world.define(step("a"), workflow="free", priority=1))
		world.claim(1, "first")
		while count(world, "Queued", "Run"):
			world.claim(1, "first")
		world.drain()
		assert world.status(free) == "Completed"
		assert count(world, "Blocked") > 250
		world.release_all()

	def test_a_slot_is_handed_over_at_once_without_a_sweep(self, world):
		make_agent(world, max_concurrent=1)
		world.start_many(world.define(step("a"), agent="bot"), [None] * 50)
		world.claim(1, "first")
		world.claim(100, "second")
		assert count(world, "Blocked") == 49
		world.release_all()
		assert world.drain().performed == 50

	def test_a_lifted_limit_lets_everybody_go(self, world):
		make_agent(world, max_concurrent=1)
		world.start_many(world.define(step("a"), agent="bot"), [None] * 50)
		world.claim(1, "first")
		world.claim(100, "second")
		world.db.execute("UPDATE `tabDogan Agent` SET max_concurrent = 0")
		assert world.sweep().unblocked == 49
		assert world.drain().performed == 49
		world.release_all()

	@pytest.mark.parametrize(
		("fields", "message"),
		[({"enabled": 0}, "The agent bot is disabled."), (None, "The agent bot is gone.")],
	)
	def test_one_that_may_not_act(self, world, fields, message):
		if fields:
			make_agent(world, **fields)
		run = world.run(step("a"), agent="bot")
		assert world.of_task(run, "a", "status", "error") == ("Failed", f"ActionError: {message}")

	def test_it_performs_only_its_actions(self, world):
		make_agent(world)
		world.db.execute(
			"INSERT INTO `tabDogan Agent Action` (name, parent, action) VALUES ('x', 'bot', 'wait')"
		)
		run = world.run(step("a"), agent="bot")
		assert world.of_task(run, "a", "error") == "ActionError: The agent bot may not perform trivial."


@pytest.mark.parametrize("limit", ["max_agents", "max_concurrent"])
def test_claims_under_a_limit_are_made_one_after_the_other(world, limit):
	set_setting(world, "max_agents", 5 if limit == "max_agents" else 0)
	make_agent(world, max_concurrent=5 if limit == "max_concurrent" else 0)
	world.start(world.define(step("a"), agent="bot"))
	other = world.another_host().own
	other.begin()
	limits.lock(other)
	(thread,) = world.drain_in_threads(1)
	thread.join(0.5)
	assert count(world, "Completed") == 0
	other.rollback()
	thread.join(30)
	assert count(world, "Completed") == 1


class TestRate:
	def test_a_rate_is_kept_and_costs_no_attempt(self, world):
		make_agent(world, rate_limit=5, rate_period="Hour")
		world.start_many(world.define(step("a"), agent="bot"), [None] * 20)
		world.drain()
		assert (count(world, "Completed"), count(world, "Waiting")) == (5, 15)
		assert set(world.db.query("SELECT attempt FROM `tabDogan Task` WHERE status = 'Waiting'")) == {(0,)}
		dues = [
			row[0]
			for row in world.db.query("SELECT due FROM `tabDogan Task` WHERE status = 'Waiting' ORDER BY due")
		]
		assert 600 < (dues[0] - world.now()) / 1e6 <= 720

	def test_those_who_wait_come_back_one_after_the_other(self, world):
		make_agent(world, rate_limit=10, rate_period="Second")
		runs = world.start_many(world.define(step("a"), agent="bot"), [None] * 25)
		world.drain()
		dues = [
			row[0]
			for row in world.db.query("SELECT due FROM `tabDogan Task` WHERE status = 'Waiting' ORDER BY due")
		]
		assert len(set(dues)) == len(dues) >= 10
		world.until(lambda: {world.status(run) for run in runs} == {"Completed"})

	def test_without_redis_nothing_floods_the_outside(self, world, lab):
		make_agent(world, rate_limit=5, rate_period="Hour")
		lab.stop_redis()
		run = world.run(step("a"), agent="bot")
		assert world.of_task(run, "a", "status") == "Waiting"
		lab.start_redis()
		world.until(lambda: world.status(run) == "Completed")


class TestConcurrencyKey:
	def test_each_value_has_its_own_slots(self, world):
		keyed = step(
			"a",
			action="watched",
			input={"label": "{{ input.customer }}"},
			concurrency_key="{{ input.customer }}",
			concurrency_limit=1,
		)
		runs = world.start_many(world.define(keyed), [{"customer": name} for name in "abc" * 8])
		work_off(world, 3, runs)
		assert dict(MOST) == {"a": 1, "b": 1, "c": 1} and len(DONE) == 24

	def test_values_that_differ_only_in_case(self, world):
		keyed = step("a", concurrency_key="{{ input.x }}", concurrency_limit=1)
		world.start_many(world.define(keyed), [{"x": "a"}] * 3 + [{"x": "A"}] * 3)
		world.claim(1, "first")
		world.claim(100, "second")
		world.claim(100, "third")
		assert count(world, "Blocked") == 2
		assert world.sweep().unblocked == 0
		world.release_all()
		assert world.drain().performed == 6

	def test_a_key_that_cannot_be_told_fails_its_run_and_stops_nobody(self, world):
		keyed = world.define(
			step("a", concurrency_key="{{ input.customer }}", concurrency_limit=1), workflow="keyed"
		)
		good = world.start(world.define(step("a"), workflow="good"))
		bad = world.start(keyed, {})
		world.drain()
		assert world.status(good) == "Completed"
		status, error, queue_key = world.of_run(bad, "status", "error", "queue_key")
		assert (status, queue_key) == ("Failed", 0) and "has no attribute 'customer'" in error
		world.retry(bad)
		assert world.of_run(bad, "status", "error") == ("Queued", None)
		world.drain()
		assert world.status(bad) == "Failed"


class TestMaxConcurrentOfAWorkflow:
	@pytest.fixture
	def version(self, world) -> str:
		return world.define(
			step("a"), step("b", "a", action="wait", input={"seconds": 600}), max_concurrent=2
		)

	def running(self, world) -> int:
		return world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status IN ('Running', 'Waiting')")

	def test_no_more_runs_at_once(self, world, version):
		runs = world.start_many(version, [None] * 5)
		world.drain()
		assert [world.status(run) for run in runs] == ["Waiting", "Waiting", "Queued", "Queued", "Queued"]
		world.sweep_and_drain()
		assert self.running(world) == 2
		world.cancel(runs[0])
		world.sweep_and_drain()
		assert self.running(world) == 2 and world.status(runs[0]) == "Cancelled"

	def test_others_go_on(self, world, version):
		world.start_many(version, [None] * 200)
		free = world.start(world.define(step("a"), workflow="free"))
		world.drain()
		assert world.status(free) == "Completed"

	def test_a_changed_limit_is_in_force_for_runs_that_wait(self, world, version):
		world.start_many(version, [None] * 6)
		world.drain()
		world.db.execute("UPDATE `tabDogan Workflow` SET max_concurrent = 4")
		world.sweep_and_drain()
		assert self.running(world) == 4
		world.db.execute("UPDATE `tabDogan Workflow` SET max_concurrent = 0")
		world.sweep_and_drain()
		assert self.running(world) == 6

	def test_a_place_is_filled_at_once_without_a_sweep(self, world):
		world.start_many(world.define(step("a"), step("b", "a"), max_concurrent=1), [None] * 20)
		world.drain()
		assert count(world, "Completed", "Run") == 20

	def test_two_workers_do_not_admit_too_many(self, world):
		runs = world.start_many(
			world.define(step("a", action="watched"), step("b", "a", action="watched"), max_concurrent=1),
			[None] * 12,
		)
		work_off(world, 2, runs)
		assert MOST["all"] == 1


class TestMaxAgents:
	def test_no_more_workers_are_busy(self, world):
		set_setting(world, "max_agents", 1)
		runs = world.start_many(world.define(step("a", action="watched")), [None] * 40)
		linger(world)
		threads = world.drain_in_threads(3)
		until(lambda: {world.status(run) for run in runs} == {"Completed"}, 60)
		for thread in threads:
			thread.join(30)
		assert MOST["all"] == 1

	def test_the_second_is_refused_until_the_first_rests(self, world):
		set_setting(world, "max_agents", 1)
		runs = world.start_many(world.define(step("a")), [None] * 2)
		assert len(world.claim(1, "first").tasks) == 1
		assert world.claim(1, "second").refused
		assert world.drain().reason == "full"
		world.db.execute("UPDATE `tabDogan Worker` SET status = 'Idle'")
		assert world.drain().performed == 1
		world.release_all()
		world.drain()
		assert {world.status(run) for run in runs} == {"Completed"}

	def test_a_worker_that_died_fills_no_place(self, world):
		set_setting(world, "max_agents", 1)
		world.start(world.define(step("a")))
		world.claim(1, "first")
		world.db.execute("UPDATE `tabDogan Worker` SET expires = 1")
		world.sweep()
		assert world.drain().performed == 1

	def test_lowered_while_both_work(self, world, monkeypatch):
		monkeypatch.setattr("dogan_agents.engine.drain.RECHECK_SECONDS", 0.1)
		world.start_many(world.define(step("a", action="watched", input={"seconds": 0.1})), [None] * 40)
		linger(world, 2)
		threads = world.drain_in_threads(2)
		until(lambda: MOST["all"] == 2)
		set_setting(world, "max_agents", 1)
		until(lambda: sum(thread.is_alive() for thread in threads) == 1)
		until(lambda: count(world, "Completed") == 40, 60)
		for thread in threads:
			thread.join(30)


class TestSwitches:
	def test_a_disabled_pool(self, world):
		world.db.execute("UPDATE `tabDogan Pool` SET enabled = 0 WHERE name = 'default'")
		run = world.run(step("a"), step("b", pool="mail"))
		assert world.drain().reason == "disabled"
		world.drain("mail")
		assert world.steps(run) == {"a": "Ready", "b": "Completed"}
		world.db.execute("UPDATE `tabDogan Pool` SET enabled = 1")
		world.drain()
		assert world.status(run) == "Completed"

	def test_everything_disabled(self, world):
		set_setting(world, "enabled", 0)
		run = world.run(step("a"))
		assert (world.drain().reason, world.status(run)) == ("disabled", "Queued")
		set_setting(world, "enabled", 1)
		world.drain()
		assert world.status(run) == "Completed"

	def test_switched_off_in_the_middle(self, world):
		world.start_many(world.define(step("a", action="watched", input={"seconds": 0.1})), [None] * 50)
		(thread,) = world.drain_in_threads(1)
		until(lambda: DONE)
		set_setting(world, "enabled", 0)
		thread.join(20)
		assert not thread.is_alive()
		assert count(world, "Running") == 0 and count(world, "Ready") > 0
