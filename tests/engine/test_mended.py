"""What the sweep, the nodes and the steps mend by themselves is written down: once for each cause."""

import os
import signal
import threading
from contextlib import suppress

import pytest
from rq import Queue

from dogan_agents.cluster import node as nodes
from dogan_agents.engine import lease, sweep
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.healing import Kind
from dogan_agents.engine.lease import lead, step_down
from dogan_agents.engine.sql import NOW
from dogan_agents.host import hands
from tests.engine.healing import Nothing, events, expire, of_kind
from tests.engine.world import step

pytestmark = pytest.mark.usefixtures("prompt_readings")


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
		monkeypatch.setattr(lease, "LEASE_SECONDS", 0.0)
		world.wait_for_age(1)
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
