"""What is mended by itself is written down: once for each cause, and never at the cost of the mending."""

import itertools
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from pydantic import BaseModel
from rq import Queue

from dogan_agents.cluster import node as nodes
from dogan_agents.cluster.breaker import Breaker
from dogan_agents.engine import lease, sweep
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import TemporaryError
from dogan_agents.engine.healing import Helped, Kind, Watch, What
from dogan_agents.engine.lease import Every, lead, step_down
from dogan_agents.engine.sql import NOW
from dogan_agents.host import hands, healing, tables
from tests.engine.world import step, until

EVENT = "`tabDogan Healing Event`"
DOWN = threading.Event()
NUMBERS = itertools.count()


class Nothing(BaseModel):
	pass


@action(title="Call a partner", pure=True)
def partner(context: Context, input: Nothing) -> dict:
	if DOWN.is_set():
		raise TemporaryError("the partner does not answer")
	return {}


@pytest.fixture(autouse=True)
def fresh(monkeypatch) -> Iterator[None]:
	monkeypatch.setattr(tables, "KEEP_SECONDS", 0.0)
	monkeypatch.setattr(tables, "KEEP_NODES_SECONDS", 0.0)
	monkeypatch.setattr(tables, "LOOK_BACK_SECONDS", 0.0)
	DOWN.clear()
	yield
	DOWN.clear()


def events(world, *columns: str) -> list:
	found = world.db.query(
		f"SELECT {', '.join(columns or ('kind', 'subject', 'count', 'helped'))} FROM {EVENT} ORDER BY began, kind"
	)
	return list(found)


def of_kind(world, kind: Kind, *columns: str) -> list:
	wanted = columns or ("subject", "count", "helped")
	return [row[1:] for row in events(world, "kind", *wanted) if row[0] == kind.value]


def later(world, minutes: int) -> None:
	"""As if the events so far were so much older."""
	us = minutes * 60_000_000
	world.db.execute(f"UPDATE {EVENT} SET began = began - %s, happened = happened - %s", (us, us))


def expire(world, table: str, where: str = "1 = 1") -> None:
	world.db.execute(f"UPDATE `tabDogan {table}` SET expires = 1 WHERE {where}")


class TestGrouping:
	def mend(self, world, subject: str = "n1", **options) -> None:
		world.host.healed(Kind.NODE_LATE, subject, "seen", "done", **options)

	def test_the_same_within_an_hour_counts(self, world):
		for subject in ("n1", "n1", "n2"):
			self.mend(world, subject)
		assert sorted(of_kind(world, Kind.NODE_LATE)) == [("n1", 2, "Unknown"), ("n2", 1, "Unknown")]

	def test_after_an_hour_it_is_another_event(self, world):
		self.mend(world)
		later(world, 59)
		self.mend(world)
		assert len(events(world)) == 1
		# 61 minutes after the first one; its name is that of an hour that is over
		later(world, 2)
		world.db.execute(f"UPDATE {EVENT} SET name = CONCAT(SUBSTRING_INDEX(name, '-', 1), '-0')")
		self.mend(world)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(2,), (1,)]

	def test_who_else_notices_the_same_does_not_count(self, world):
		for _ in range(3):
			self.mend(world, same_for=30.0)
		later(world, 1)
		self.mend(world, same_for=30.0)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(2,)]

	def test_many_at_once_are_one_event(self, world):
		together = threading.Barrier(8)

		def mend() -> None:
			host = world.another_host()
			together.wait()
			for _ in range(5):
				host.healed(Kind.NODE_LATE, "n1", "seen", "done")
			host.own.reset()

		threads = [threading.Thread(target=mend) for _ in range(8)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(30)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(40,)]

	def test_people_are_told_once_an_hour(self, world, monkeypatch):
		alarms = []
		monkeypatch.setattr(world.host, "raise_alarm", lambda db, alarm: alarms.append(alarm))
		for _ in range(25):
			self.mend(world)
			world.host.healed(Kind.DEADLOCK, "default", "seen", "done")
		assert [(alarm.kind, alarm.subject, alarm.count) for alarm in alarms] == [("Node Late", "n1", 10)]

	def test_what_cannot_be_written_is_only_logged(self, world):
		world.db.execute(f"ALTER TABLE {EVENT} RENAME TO hidden")
		try:
			self.mend(world)
			run = world.start(world.define(step("a")))
			world.claim(1, "mortal")
			expire(world, "Worker")
			assert world.sweep().reclaimed == 1
			world.drain()
			assert world.status(run) == "Completed"
		finally:
			world.db.execute(f"ALTER TABLE hidden RENAME TO {EVENT}")
		assert events(world) == []
		assert any("doesn't exist" in line for line in world.logged)

	def test_a_lost_connection_while_writing_is_replaced(self, world):
		number = world.db.connection_id
		other = world.another_host()
		killer = threading.Thread(target=lambda: other.own.execute(f"KILL {number}"))
		killer.start()
		killer.join()
		self.mend(world)
		self.mend(world)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(1,)]

	def test_a_long_text_is_cut(self, world):
		world.host.healed(Kind.NODE_LATE, "n" * 300, "s" * 70_000, "d" * 70_000)
		assert of_kind(world, Kind.NODE_LATE, "length(subject)", "length(seen)") == [(140, healing.LONGEST)]


class TestSweep:
	def test_a_dead_worker(self, world):
		runs = world.start_many(world.define(step("a", action="effect")), [None] * 3)
		world.claim(3, "mortal")
		expire(world, "Worker")
		for _ in range(3):
			world.sweep()
		assert events(world) == [("Worker Died", "test", 1, "Unknown")]
		((seen, done),) = events(world, "seen", "done")
		assert "mortal" in seen and "taken back from it: 3" in done
		world.drain()
		world.sweep()
		assert events(world) == [("Worker Died", "test", 1, "Yes")]
		assert {world.status(run) for run in runs} == {"Completed"}

	def test_an_idle_worker_that_died(self, world):
		world.claim(1, "idle")
		expire(world, "Worker")
		world.sweep()
		world.sweep()
		assert events(world) == [("Worker Died", "test", 1, "Unknown")]

	def test_its_connections_are_counted(self, world, monkeypatch):
		monkeypatch.setattr(lease, "LEASE_SECONDS", 0.0)  # the server may be younger than a lease
		world.claim(1, "frozen")
		numbers = str(world.another_host().work.connection_id)
		world.db.execute(f"UPDATE `tabDogan Worker` SET connections = %s, expires = {NOW} - 1", (numbers,))
		world.sweep()
		assert "closed: 1" in of_kind(world, Kind.WORKER_DIED, "done")[0][0]

	def test_tasks_of_a_worker_without_a_row(self, world):
		world.start(world.define(step("a")))
		world.claim(1, "nobody")
		world.db.execute("DELETE FROM `tabDogan Worker`")
		world.sweep()
		world.sweep()
		assert events(world) == [("Tasks Orphaned", "nobody", 1, "Unknown")]

	def test_tasks_of_one_declared_dead_by_a_sweep_that_ended_there(self, world):
		world.start(world.define(step("a")))
		world.claim(1, "mortal")
		world.db.execute("UPDATE `tabDogan Worker` SET status = 'Dead'")
		world.sweep()
		world.sweep()
		assert events(world) == [("Worker Died", "test", 1, "Unknown")]

	def test_poison(self, world):
		run = world.start(world.define(step("a", max_attempts=2), workflow="poison"))
		for number in range(2):
			world.claim(1, f"mortal-{number}")
			expire(world, "Worker")
			world.sweep()
		assert world.steps(run) == {"a": "Parked"}
		assert of_kind(world, Kind.TASK_PARKED) == [("poison: a", 1, "Unknown")]
		world.sweep()
		assert of_kind(world, Kind.WORKER_DIED) == [("test", 2, "No")]

	def test_an_error_of_one_part_keeps_no_other_from_telling(self, world, monkeypatch):
		def broken(*args: object) -> None:
			raise RuntimeError("broken")

		world.claim(1, "idle")
		expire(world, "Worker")
		monkeypatch.setattr(sweep, "tell_of_takeover", broken)
		with pytest.raises(RuntimeError):
			world.sweep()
		assert [row[0] for row in events(world)] == ["Worker Died"]


class TestLeader:
	def test_a_silent_leader(self, world):
		assert lead(world.db, "a")
		world.sweep()
		assert events(world) == []
		expire(world, "Lease", "name = 'sweep'")
		assert lead(world.db, "b") and lead(world.db, "b")
		world.sweep()
		world.sweep()
		assert events(world) == [("Leader Lost", "sweep", 1, "Yes")]
		assert "a led" in events(world, "seen")[0][0]

	def test_one_that_steps_down_and_one_that_comes_back(self, world):
		lead(world.db, "a")
		step_down(world.db, "a")
		lead(world.db, "b")
		expire(world, "Lease", "name = 'sweep'")
		lead(world.db, "b")
		world.sweep()
		assert events(world) == []


class TestWakeUps:
	@pytest.fixture(autouse=True)
	def at_once(self, monkeypatch) -> None:
		monkeypatch.setattr(sweep, "WAKE_UP_SECONDS", 0.0)

	def ready(self, world, count: int = 1) -> None:
		"""Tasks of which nobody was told."""
		world.start_many(world.define(step("a")), [None] * count)
		world.claim(count)
		world.release_all()
		world.db.execute("DELETE FROM `tabDogan Worker`")

	def test_nobody_came(self, world):
		self.ready(world)
		world.sweep()
		world.sweep()
		assert events(world) == [("Wake-up Lost", "default", 1, "Unknown")]
		world.drain()
		world.sweep()
		assert events(world) == [("Wake-up Lost", "default", 1, "Yes")]

	def test_a_run_that_nobody_admitted(self, world):
		world.start(world.define(step("a")))
		world.sweep()
		assert events(world) == [("Wake-up Lost", "default", 1, "Unknown")]

	def test_what_was_ready_just_now_was_not_lost(self, world, monkeypatch):
		monkeypatch.setattr(sweep, "WAKE_UP_SECONDS", 5.0)
		self.ready(world)
		assert world.sweep().woken
		assert events(world) == []

	def test_somebody_is_at_work(self, world):
		self.ready(world)
		world.claim(0, "somebody")
		world.sweep()
		assert events(world) == []

	def test_as_many_are_busy_as_may_be(self, world):
		self.ready(world)
		world.db.execute("UPDATE tabSingles SET value = '1' WHERE field = 'max_agents'")
		world.db.execute(
			f"INSERT INTO `tabDogan Worker` (name, status, pool, expires) VALUES ('x', 'Busy', 'mail', {NOW} + 9000000)"
		)
		world.sweep()
		assert events(world) == []

	def test_a_reservation_whose_job_is_gone(self, world, monkeypatch):
		world.host.hands.wake("default")
		Queue("default", connection=world.host.redis).empty()
		monkeypatch.setattr(hands, "STALE_SECONDS", -1.0)
		assert world.host.hands.wake("default")
		assert events(world) == [("Reservation Lost", "default", 1, "Unknown")]
		world.sweep()
		assert events(world) == [("Reservation Lost", "default", 1, "Yes")]

	def test_a_reservation_that_is_just_being_taken(self, world, monkeypatch):
		world.host.hands.wake("default")
		queue = Queue("default", connection=world.host.redis)
		(job,) = queue.jobs
		queue.remove(job)
		job.set_status("started")
		monkeypatch.setattr(hands, "STALE_SECONDS", -1.0)
		assert world.host.hands.wake("default")
		assert events(world) == []


class TestRedis:
	def test_it_was_wiped(self, world):
		world.sweep()
		world.sweep()
		assert events(world) == []
		world.host.redis.flushall()
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Wiped", "Redis", 1, "Yes")]

	def test_it_was_away_and_is_back(self, world, monkeypatch):
		world.sweep()
		with monkeypatch.context() as patch:
			patch.setattr(world.host.hands, "mark", lambda: 1 / 0)
			world.sweep()
			world.sweep()
			assert events(world) == []
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Lost", "Redis", 1, "Yes")]

	def test_it_was_away_and_came_back_empty(self, world, monkeypatch):
		world.sweep()
		with monkeypatch.context() as patch:
			patch.setattr(world.host.hands, "mark", lambda: 1 / 0)
			world.sweep()
		world.host.redis.flushall()
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Wiped", "Redis", 1, "Yes")]

	def test_a_site_from_before_there_was_a_mark(self, world):
		world.db.execute("DELETE FROM `tabDogan Lease` WHERE name = 'redis'")
		world.sweep()
		world.sweep()
		assert events(world) == []
		assert (
			world.value("SELECT holder FROM `tabDogan Lease` WHERE name = 'redis'") == world.host.hands.mark()
		)


class TestDatabase:
	def test_it_was_away_and_is_back(self, world, lab):
		world.db.query("SELECT 1")
		turns: list[int] = []
		host = world.another_host("n1")
		with Every(host, 0.02, lambda: turns.append(host.own.query("SELECT 1")[0][0])):
			until(lambda: turns)
			lab.stop_mariadb()
			lab.start_mariadb()
			seen = len(turns)
			until(lambda: len(turns) > seen + 3)
		world.db.reset()
		assert events(world) == [("Database Lost", "n1", 1, "Yes")]

	def test_a_drain_loses_its_connection(self, world):
		begun: list[str] = []

		@action(title="Cut off", pure=True)
		def cut_off(context: Context, input: Nothing) -> dict:
			if not begun:
				begun.append(context.task)
				world.host.work.query("SELECT 1")
				other = world.another_host()
				for number in (world.host.work.connection_id, world.db.connection_id):
					thread = threading.Thread(target=other.own.execute, args=(f"KILL {number}",))
					thread.start()
					thread.join()
			return {}

		world.add_actions(cut_off)
		run = world.start(world.define(step("a", action="cut_off")))
		world.drain()
		assert world.until(lambda: world.status(run) == "Completed")
		assert of_kind(world, Kind.DATABASE_LOST) == [("test", 1, "Yes")]


class TestSteps:
	def test_deadlocks_are_counted(self, world):
		fault = step("a", action="fault", input={"kind": "deadlock", "until_attempt": 2}, retry_delay=1)
		run = world.run(fault)
		assert events(world) == [("Deadlock", "default", 1, "Unknown")]
		world.until(lambda: world.status(run) == "Completed")
		world.sweep()
		assert events(world) == [("Deadlock", "default", 1, "Yes")]

	def test_a_write_that_comes_too_late(self, world, monkeypatch):
		monkeypatch.setattr(lease, "RENEW_SECONDS", 60.0)

		@action(title="Slow")
		def slow(context: Context, input: Nothing) -> dict:
			if context.attempt == 1:
				expire(world, "Worker", "status = 'Busy'")
				world.sweep()
			return {}

		world.add_actions(slow)
		run = world.start(world.define(step("a", action="slow")))
		world.drain()
		assert of_kind(world, Kind.WRITE_REFUSED) == [("test", 1, "Yes")]
		assert world.until(lambda: world.status(run) == "Completed")

	def test_what_was_cancelled_meanwhile_was_not_late(self, world):
		@action(title="Cancels itself")
		def suicidal(context: Context, input: Nothing) -> dict:
			thread = threading.Thread(target=world.cancel, args=(context.run["name"], world.another_host()))
			thread.start()
			thread.join()
			return {}

		world.add_actions(suicidal)
		run = world.start(world.define(step("a", action="suicidal")))
		world.drain()
		assert world.status(run) == "Cancelled"
		assert events(world) == []


class TestNodes:
	def node(self, world, name: str, left: float, status: str = "Healthy") -> None:
		"""One that counts as dead in `left` seconds."""
		world.db.execute(
			"REPLACE INTO `tabDogan Node` (name, node_name, status, weight, expires) "
			f"VALUES (%s, %s, %s, 1, {NOW} + %s)",
			(name, name, status, int(left * 1e6)),
		)

	def test_late_then_dead(self, world):
		self.node(world, "n1", 4)
		self.node(world, "n2", 14)
		for _ in range(3):
			nodes.watch(world.host)
		assert events(world) == [("Node Late", "n1", 1, "Unknown")]
		self.node(world, "n1", -1, "Late")
		for _ in range(3):
			nodes.watch(world.host)
		world.sweep()
		assert events(world) == [("Node Late", "n1", 1, "No"), ("Node Died", "n1", 1, "Yes")]

	def test_late_and_back(self, world):
		self.node(world, "n1", 4)
		nodes.watch(world.host)
		self.node(world, "n1", 15)
		world.sweep()
		assert events(world) == [("Node Late", "n1", 1, "Yes")]

	def test_of_many_who_look_one_tells(self, world):
		self.node(world, "n1", -1)
		together = threading.Barrier(6)

		def look(name: str) -> None:
			host = world.another_host(name)
			together.wait()
			nodes.watch(host)
			host.own.reset()

		threads = [threading.Thread(target=look, args=(f"w{n}",)) for n in range(6)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(30)
		assert of_kind(world, Kind.NODE_DIED, "count") == [(1,)]

	def test_one_that_has_stopped_did_not_die(self, world):
		self.node(world, "n1", -1, "Stopped")
		nodes.watch(world.host)
		assert events(world) == []

	def test_what_waited_for_a_node_that_is_gone(self, world):
		for name in ("n1", "n2"):
			self.node(world, name, 60)
		version = world.define(step("a", placement="Node", placement_value="n1"))
		runs = world.start_many(version, [None] * 3)
		assert world.claim(3).tasks == []
		self.node(world, "n1", -1, "Dead")
		world.sweep()
		world.sweep()
		assert of_kind(world, Kind.TASKS_REPLACED) == [("n1", 1, "Unknown")]
		world.drain()
		world.sweep()
		assert of_kind(world, Kind.TASKS_REPLACED) == [("n1", 1, "Yes")]
		assert {world.status(run) for run in runs} == {"Completed"}


class TestBreaker:
	@pytest.fixture(autouse=True)
	def agent(self, world) -> None:
		world.add_actions(partner)
		world.db.execute("INSERT INTO `tabDogan Agent` (name, agent_name, enabled) VALUES ('bot', 'bot', 1)")

	def fail(self, world, count: int) -> list[str]:
		DOWN.set()
		wanted = step("a", action="partner", agent="bot", max_attempts=1)
		version = world.define(wanted, workflow=f"call-{next(NUMBERS)}")
		runs = world.start_many(version, [None] * count)
		world.drain()
		return runs

	def aged(self, world, seconds: float) -> None:
		"""As if all that the breaker remembers were so much older."""
		(text,) = world.db.query("SELECT breaker_memory FROM `tabDogan Agent`")[0]
		breaker, us = Breaker.decode(text), int(seconds * 1e6)
		older = Breaker(
			breaker.state, tuple(at - us for at in breaker.failed), breaker.until - us, breaker.opened
		)
		world.db.execute("UPDATE `tabDogan Agent` SET breaker_memory = %s", (older.encode(),))

	def state(self, world) -> str:
		return world.value("SELECT breaker FROM `tabDogan Agent`")

	def opened(self, world) -> None:
		self.fail(world, 10)
		assert self.state(world) == "Closed", "so fast that others may not know of it yet"
		self.aged(world, 5)
		self.fail(world, 1)
		assert self.state(world) == "Open"

	def test_it_opens_and_steps_wait_instead_of_failing(self, world):
		self.opened(world)
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 1, "Unknown")]
		(run,) = self.fail(world, 1)
		assert world.of_task(run, "a", "status", "attempt", "error_kind") == ("Waiting", 0, None)
		assert 20e6 < world.of_task(run, "a", "due") - world.now() < 35e6
		assert world.status(run) == "Waiting"

	def test_a_trial_that_goes_well_closes_it(self, world):
		self.opened(world)
		waiting = self.fail(world, 3)
		self.aged(world, 31)
		DOWN.clear()
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert self.state(world) == "Closed"
		assert world.value("SELECT breaker_memory IS NULL AND breaker_until IS NULL FROM `tabDogan Agent`")
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert {world.status(run) for run in waiting} == {"Completed"}
		world.sweep()
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 1, "Yes")]

	def test_one_step_tries_and_fails(self, world):
		self.opened(world)
		waiting = self.fail(world, 3)
		self.aged(world, 31)
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert sorted(world.status(run) for run in waiting) == ["Failed", "Waiting", "Waiting"]
		assert self.state(world) == "Open"
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 2, "Unknown")]

	def test_one_success_between_them(self, world):
		self.fail(world, 9)
		DOWN.clear()
		world.run(step("a", action="partner", agent="bot"), workflow="fine")
		assert world.value("SELECT breaker_memory IS NULL FROM `tabDogan Agent`")
		self.aged(world, 5)
		self.fail(world, 5)
		assert self.state(world) == "Closed"

	def test_other_failures_are_none_of_its_business(self, world):
		fault = step("a", action="fault", input={"kind": "permanent"}, agent="bot")
		world.start_many(world.define(fault), [None] * 20)
		world.drain()
		assert world.value("SELECT breaker_memory IS NULL FROM `tabDogan Agent`")

	def test_a_healthy_agent_costs_no_statement(self, world, monkeypatch):
		asked = []
		monkeypatch.setattr(world.host, "ended", lambda *args: asked.append(args))
		monkeypatch.setattr(world.host, "held_back", lambda *args: asked.append(args))
		world.run(step("a", action="partner", agent="bot"))
		assert asked == []


class TestHelped:
	def helped(self, world, watch: Watch) -> str:
		world.host.healed(Kind.NODE_LATE, "n1", "seen", "done", watch=watch)
		world.host.look_back()
		return str(of_kind(world, Kind.NODE_LATE, "helped")[0][0])

	@pytest.mark.parametrize(
		("watch", "helped"),
		[
			(Watch(What.TASKS, ("no such task",)), Helped.YES),
			(Watch(What.POOL, ("default",)), Helped.YES),
			(Watch(What.NODE, ("no such node",)), Helped.NO),
			(Watch(What.LEFT, ("no such node",)), Helped.YES),
			(Watch(What.AGENT, ("no such agent",)), Helped.UNKNOWN),
		],
	)
	def test_what_is_there_no_more(self, world, watch, helped):
		assert self.helped(world, watch) == helped.value

	def test_after_an_hour_nobody_looks_any_more(self, world):
		world.host.healed(Kind.NODE_LATE, "n1", "seen", "done", watch=Watch(What.POOL, ("default",)))
		later(world, 61)
		world.host.look_back()
		assert of_kind(world, Kind.NODE_LATE, "helped") == [("Unknown",)]


def test_a_killed_drain_tells_of_itself_through_the_sweep(world):
	world.start(world.define(step("a", action="fault", input={"kind": "kill"}, max_attempts=1)))
	pid = os.fork()
	if not pid:
		with suppress(BaseException):
			world.drain(host=world.another_host("cold"))
		os._exit(0)
	assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
	expire(world, "Worker")
	world.sweep()
	assert of_kind(world, Kind.WORKER_DIED) == [("cold", 1, "Unknown")]
