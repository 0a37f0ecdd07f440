"""Whatever dies, every run ends and every effect is there exactly once."""

import time

import psutil
import pytest

from dogan_agents.engine.sweep import sweep
from tests.chaos.storm import TRIED, Storm, until


def rage(storm: Storm, seconds: float, strike) -> None:
	"""Feed runs and strike, again and again, for a while."""
	ends = time.monotonic() + seconds
	while time.monotonic() < ends:
		storm.start(8)
		print(f"{storm.started} runs, {storm.done()} steps: {strike()}")
		time.sleep(storm.chance.uniform(0.2, 1.0))


@pytest.mark.parametrize("seconds", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_workers_are_killed_at_random(storm, seconds):
	for _ in range(2):
		storm.add_node()
	storm.start(50)
	storm.wait_for_progress()
	rage(storm, seconds, storm.kill_a_worker)
	storm.check()
	print(storm.db.query("SELECT crashes, COUNT(*) FROM `tabDogan Task` GROUP BY crashes"))


def test_redis_and_mariadb_go_away_and_come_back(storm):
	storm.add_node()
	for strike in (
		storm.flush_redis,
		storm.lab.restart_redis,
		storm.lab.restart_mariadb,
		lambda: (storm.lab.kill_mariadb(), storm.lab.start_mariadb()),
		lambda: (
			storm.lab.kill_mariadb(),
			storm.lab.restart_redis(),
			time.sleep(1),
			storm.lab.start_mariadb(),
		),
	):
		storm.start(60)
		storm.wait_for_progress()
		strike()
	storm.check()


def test_a_whole_node_dies(storm):
	for _ in range(2):
		storm.add_node(workers=1)
	storm.start(100)
	storm.wait_for_progress()
	storm.kill_a_node()
	storm.check()


def test_a_worker_that_was_paused_longer_than_its_lease_writes_too_late(storm):
	storm.steps = storm.effects = 1
	storm.version = storm.define({"step": "a", "action": "effect", "input": {"seconds": 2}}, workflow="slow")
	paused = storm.add_worker("paused")
	storm.start(1)
	running = "SELECT running_on FROM `tabDogan Task` WHERE status = 'Running' AND node = 'paused'"
	worker = until(lambda: storm.db.query(running))[0][0]
	(horse,) = psutil.Process(paused.pid).children()
	horse.suspend()
	storm.add_worker("other")
	until(lambda: [sweep(storm.host, storm.db), storm.done()][1] == 1)
	assert storm.value("SELECT node FROM `tabDogan Task`") == "other"
	assert storm.value("SELECT status FROM `tabDogan Worker` WHERE name = %s", worker) == "Dead"
	assert not TRIED.search(storm.log("paused").read_text())
	horse.resume()
	until(lambda: TRIED.search(storm.log("paused").read_text()))
	storm.check()
	assert storm.value("SELECT attempt FROM `tabDogan Task`") == 2


@pytest.mark.slow
def test_everything_at_once(storm):
	for _ in range(2):
		storm.add_node()
	storm.start(50)
	strikes = [
		*[storm.kill_a_worker] * 6,
		storm.kill_a_node,
		storm.flush_redis,
		storm.lab.restart_redis,
		storm.lab.restart_mariadb,
		lambda: (storm.lab.kill_mariadb(), storm.lab.start_mariadb()),
		storm.pause_a_horse,
	]
	rage(storm, 60, lambda: storm.chance.choice(strikes)())
	storm.resume_horses()
	storm.check()
