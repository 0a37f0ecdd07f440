"""Who leads, and who lives."""

import threading

import pytest

from dogan_agents.engine.lease import Every, WorkerLease, lead
from tests.engine.world import step, until


def expire_leader(world) -> None:
	world.db.execute("UPDATE `tabDogan Lease` SET expires = 1 WHERE name = 'sweep'")


def token(world) -> int:
	return world.value("SELECT token FROM `tabDogan Lease` WHERE name = 'sweep'")


def test_one_leads_until_it_is_silent(world):
	assert lead(world.db, "a") and lead(world.db, "a")
	assert not lead(world.db, "b")
	first = token(world)
	expire_leader(world)
	assert lead(world.db, "b")
	assert not lead(world.db, "a")
	assert token(world) == first + 1


def test_of_many_at_once_one_leads(world):
	for _ in range(10):
		expire_leader(world)
		together = threading.Barrier(5)
		leaders = []

		def stand(name: str, together=together, leaders=leaders) -> None:
			db = world.another_host().own
			together.wait()
			if lead(db, name):
				leaders.append(name)
			db.reset()

		threads = [threading.Thread(target=stand, args=(f"n{number}",)) for number in range(5)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(30)
		assert len(leaders) == 1


def test_a_lab_where_nobody_ever_led(world):
	world.db.execute("DELETE FROM `tabDogan Lease`")
	assert not lead(world.db, "a")
	assert lead(world.db, "a")


def test_a_worker_renews_and_leaves_no_row(world, monkeypatch):
	monkeypatch.setattr("dogan_agents.engine.lease.RENEW_SECONDS", 0.05)
	with WorkerLease(world.host, "default") as lease:
		first = world.value("SELECT expires FROM `tabDogan Worker`")
		until(lambda: world.value("SELECT expires FROM `tabDogan Worker`") > first + 100_000)
		assert not lease.lost()
	assert world.value("SELECT COUNT(*) FROM `tabDogan Worker`") == 0


def test_a_worker_that_was_declared_dead_learns_it_and_its_row_stays(world, monkeypatch):
	monkeypatch.setattr("dogan_agents.engine.lease.RENEW_SECONDS", 0.05)
	with WorkerLease(world.host, "default") as lease:
		world.db.execute("UPDATE `tabDogan Worker` SET status = 'Dead'")
		until(lease.lost)
	assert world.value("SELECT status FROM `tabDogan Worker`") == "Dead"


def test_a_worker_that_cannot_reach_the_database_loses_its_lease_by_itself(world, lab, monkeypatch):
	monkeypatch.setattr("dogan_agents.engine.lease.RENEW_SECONDS", 0.05)
	monkeypatch.setattr("dogan_agents.engine.lease.LEASE_SECONDS", 0.5)
	lease = WorkerLease(world.host, "default")
	lease.__enter__()
	lab.kill_mariadb()
	until(lease.lost)
	lab.start_mariadb()
	world.db.reset()
	lease.__exit__()
	assert any("could not renew its lease" in line for line in world.logged)


def test_a_drain_that_lost_its_lease_ends(world, monkeypatch):
	monkeypatch.setattr("dogan_agents.engine.lease.RENEW_SECONDS", 0.05)
	world.start_many(world.define(step("a", action="effect", input={"seconds": 0.1})), [None] * 25)
	(thread,) = world.drain_in_threads(1)
	until(world.effects)
	world.db.execute("UPDATE `tabDogan Worker` SET status = 'Dead'")
	thread.join(20)
	assert not thread.is_alive()
	world.until(lambda: world.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Completed'") == 25)
	assert set(world.effects().values()) == {1}


def test_an_error_in_the_sweep_is_logged_and_the_next_turn_comes(world):
	turns = []

	def work() -> None:
		turns.append(1)
		raise RuntimeError("once more")

	with Every(world.host, 0.01, work):
		until(lambda: len(turns) > 2)
	assert world.logged.count("dogan-sweep: once more") >= 2


def test_one_part_of_the_sweep_that_fails_does_not_stop_the_others(world, monkeypatch):
	world.start(world.define(step("a")))

	def fail(*args) -> None:
		raise RuntimeError("broken part")

	monkeypatch.setattr("dogan_agents.engine.sweep.start_due", fail)
	with pytest.raises(RuntimeError, match="broken part"):
		world.sweep()
	assert world.host.redis.llen("rq:queue:default") == 1


def test_a_drain_sweeps_while_it_works(world, monkeypatch):
	monkeypatch.setattr("dogan_agents.engine.drain.SWEEP_SECONDS", 0.05)
	run = world.start(world.define(step("a", action="wait", input={"seconds": 0.1}), step("b", "a")))
	world.db.execute("UPDATE `tabDogan Pool` SET idle_seconds = 3")
	world.drain()
	assert world.status(run) == "Completed"
