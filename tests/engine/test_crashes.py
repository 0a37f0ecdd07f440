"""Workers that die: their work goes on elsewhere, and who kills its worker again and again is parked."""

import os
import signal

import pytest

from dogan_agents.engine import lease
from dogan_agents.engine.ids import new_id
from dogan_agents.host.lab import LabHost
from tests.engine.world import step


def drain_in_a_process(world) -> int:
	"""The signal that ended a process which drained the pool; 0 when it ended by itself."""
	pid = os.fork()
	if not pid:
		try:
			world.drain(host=LabHost(world.config, "mortal", world.actions))
		finally:
			os._exit(0)
	return os.WTERMSIG(os.waitpid(pid, 0)[1])


def expire_leases(world) -> None:
	world.db.execute("UPDATE `tabDogan Worker` SET expires = 1")


def claim_and_die(world, count: int) -> None:
	"""What a worker leaves that is killed right after its claim."""
	assert len(world.claim(count, f"dead-{new_id()}").tasks) == count
	expire_leases(world)


def test_only_the_poison_is_parked_and_the_innocents_of_its_batch_complete(world):
	fine = world.define(step("a", action="effect"), workflow="fine")
	innocent = world.start_many(fine, [None] * 10)
	poison = world.start(
		world.define(step("a", action="fault", input={"kind": "kill"}), step("b", "a"), workflow="poison")
	)
	innocent += world.start_many(fine, [None] * 10)
	deaths = []
	while (
		world.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE status IN ('Ready', 'Running')") or not deaths
	):
		deaths.append(drain_in_a_process(world))
		expire_leases(world)
		world.sweep()
	assert deaths == [signal.SIGKILL] * 3 + [0]
	assert {world.status(run) for run in innocent} == {"Completed"}
	assert world.effects() == {f"{run}-a": 1 for run in innocent}
	assert world.of_task(poison, "a", "status", "crashes", "error_kind") == ("Parked", 3, "Crash")
	assert world.status(poison) == "Waiting"
	assert "died 3 times" in world.of_task(poison, "a", "error") and "a: The worker died" in world.of_run(
		poison, "error"
	)
	assert {
		row[0] for row in world.db.query("SELECT crashes FROM `tabDogan Task` WHERE workflow = 'fine'")
	} <= {0, 1}


def test_a_retry_of_what_was_parked(world):
	run = world.start(world.define(step("a", action="fault", input={"kind": "kill"}), step("b", "a")))
	for _ in range(3):
		assert drain_in_a_process(world) == signal.SIGKILL
		expire_leases(world)
		world.sweep()
	assert world.steps(run) == {"a": "Parked", "b": "Pending"}
	assert world.retry(run) == {("default", "")}
	assert world.of_task(run, "a", "status", "crashes", "attempt", "error") == ("Ready", 0, 0, None)
	world.cancel(run)


def test_a_dead_worker_is_found_by_its_silence_and_its_tasks_go_to_the_front(world):
	version = world.define(step("a", action="effect"), step("b", "a"))
	runs = world.start_many(version, [None] * 5)
	claim_and_die(world, 5)
	world.start_many(version, [None] * 50)
	report = world.sweep()
	assert (len(report.dead), report.reclaimed, report.parked, report.woken) == (1, 5, 0, {("default", "")})
	assert world.value("SELECT status FROM `tabDogan Worker`") == "Dead"
	world.drain()
	assert {world.status(run) for run in runs} == {"Completed"}
	assert world.of_task(runs[0], "a", "attempt", "crashes", "lease_token") == (2, 1, 3)
	assert len(world.effects()) == 55


def test_what_a_worker_without_a_row_holds_is_taken_back_too(world):
	run = world.start(world.define(step("a")))
	claim_and_die(world, 1)
	world.db.execute("DELETE FROM `tabDogan Worker`")
	world.sweep_and_drain()
	assert world.status(run) == "Completed"


def test_a_dead_worker_claims_nothing(world):
	world.claim(1, "dead")
	world.start(world.define(step("a")))
	expire_leases(world)
	world.sweep()
	found = world.claim(10, "dead")
	assert found.tasks == [] and found.refused
	assert not lease.renew(world.host, world.db, "dead", 0)


@pytest.mark.parametrize(("max_attempts", "crashes"), [(1, 2), (2, 2), (3, 3), (0, 3)])
def test_one_crash_of_a_batch_parks_nobody(world, max_attempts, crashes):
	run = world.start(world.define(step("a", max_attempts=max_attempts)))
	for number in range(1, crashes + 1):
		claim_and_die(world, 1)
		world.sweep()
		assert world.of_task(run, "a", "status") == ("Parked" if number == crashes else "Ready")


def test_what_acts_outside_is_not_done_more_often_than_its_attempts(world):
	run = world.start(world.define(step("a", action="pause", max_attempts=1)))
	claim_and_die(world, 1)
	world.sweep()
	assert world.of_task(run, "a", "status") == "Parked"


def test_a_failing_run_ends_although_the_worker_of_its_last_step_died(world):
	version = world.define(
		step("a", action="fault", input={"kind": "permanent"}), step("b", max_attempts=1), step("c", "b")
	)
	run = world.start(version)
	claim_and_die(world, 2)
	world.db.execute("UPDATE `tabDogan Task` SET crashes = 5 WHERE step = 'b'")
	world.db.execute("UPDATE `tabDogan Run` SET failing = 1, error = 'a: out of order'")
	world.sweep()
	assert world.steps(run) == {"a": "Cancelled", "b": "Cancelled", "c": "Cancelled"}
	assert world.of_run(run, "status", "error") == ("Failed", "a: out of order")
