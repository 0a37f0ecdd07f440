import os
import signal
import time
from collections.abc import Callable, Iterator

import psutil
import pytest
from rq import Worker

from dogan_agents.engine import lease, runs
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.node import Node
from dogan_agents.lab.pools import define_pools
from dogan_agents.lab.workflows import define

USER = "lab@lab.example"


@pytest.fixture
def host(lab) -> LabHost:
	host = LabHost(lab.config, "test")
	define_pools(host.own)
	return host


@pytest.fixture
def node(host) -> Iterator[Callable[..., Node]]:
	"""Starts nodes, and kills them afterwards."""
	started = []

	def start(name: str, workers: int = 1) -> Node:
		started.append(Node(host.config, name, workers))
		started[-1].start()
		return started[-1]

	yield start
	for each in started:
		each.kill()


def start(host: LabHost, steps: list[dict], count: int = 1, wake: bool = True) -> list[str]:
	version = define(host, host.own, {"workflow": "w", "steps": steps})
	now = int(time.time() * 1e6)
	names = [runs.start(host, host.own, runs.StartRequest(version, USER), now).run for _ in range(count)]
	if wake:
		host.hands.wake("default")
	return names


def number(host: LabHost, sql: str, *params: object) -> int:
	return host.own.query(sql, params)[0][0]


def completed(host: LabHost) -> int:
	return number(host, "SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Completed'")


def running_on(host: LabHost, name: str) -> int:
	return number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Running' AND node = %s", name)


def wait_until(condition: Callable[[], object], seconds: float = 40) -> None:
	deadline = time.monotonic() + seconds
	while not condition():
		assert time.monotonic() < deadline, "waited in vain"
		time.sleep(0.01)


@pytest.mark.slow
def test_another_node_takes_over_and_every_effect_is_there_once(host, node):
	steps = [
		{"step": "a", "action": "effect", "input": {"seconds": 0.02}},
		{"step": "b", "action": "pause", "input": {"seconds": 0.1}, "depends_on": ["a"]},
		{"step": "c", "action": "effect", "input": {"seconds": 0.02}, "depends_on": ["b"]},
	]
	start(host, steps, 30)
	first = node("first", workers=2)
	wait_until(lambda: completed(host) >= 3 and running_on(host, "first"))
	first.kill()
	held = running_on(host, "first")
	assert completed(host) < 30
	assert first.pids() == []

	node("second")
	wait_until(lambda: completed(host) == 30)
	assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE crashes = 1 AND node = 'second'") == held
	assert number(host, "SELECT COUNT(*) FROM lab_effect") == 60
	assert number(host, "SELECT COUNT(DISTINCT task) FROM lab_effect") == 60


def test_a_dead_worker_is_replaced(host, node):
	mine = node("mine", workers=2)
	wait_until(lambda: len(mine.workers()) == 2)
	victim, survivor = mine.workers()
	os.kill(victim, signal.SIGKILL)
	wait_until(lambda: len(mine.workers()) == 2 and victim not in mine.workers())
	assert survivor in mine.workers()


def test_the_sweep_of_a_new_lab_calls_workers_that_nobody_woke(host, node):
	"""Not even a lease's row is there yet."""
	start(host, [{"step": "a", "action": "trivial"}], 3, wake=False)
	assert number(host, "SELECT COUNT(*) FROM `tabDogan Lease`") == 0
	node("mine")
	wait_until(lambda: completed(host) == 3)


def test_the_leader_is_one(host):
	assert not lease.lead(host.own, "a")  # its row is made
	assert lease.lead(host.own, "a")
	assert not lease.lead(host.own, "b")
	lease.step_down(host.own, "b")
	assert not lease.lead(host.own, "b")
	lease.step_down(host.own, "a")
	assert lease.lead(host.own, "b")


def test_a_worker_that_ends_leaves_the_lead_to_others(host):
	with lease.WorkerLease(host, "default") as worker:
		lease.lead(host.own, worker.name)
	assert lease.lead(host.own, "b")


def test_a_kill_reaches_a_job_whose_worker_is_gone(host, node):
	start(host, [{"step": "a", "action": "pause", "input": {"seconds": 60}}])
	mine = node("mine")
	wait_until(lambda: running_on(host, "mine"))
	(pid,) = (row[0] for row in host.own.query("SELECT pid FROM `tabDogan Worker`"))
	job = psutil.Process(pid)
	job.parent().kill()
	wait_until(lambda: job.ppid() not in mine.pids())
	assert pid in mine.pids()
	mine.kill()
	assert mine.pids() == []
	wait_until(lambda: not job.is_running() or job.status() == psutil.STATUS_ZOMBIE)


def test_a_stop_lets_a_step_end(host, node):
	start(host, [{"step": "a", "action": "pause", "input": {"seconds": 1}}])
	mine = node("mine")
	wait_until(lambda: running_on(host, "mine"))
	mine.stop()
	assert completed(host) == 1
	assert mine.process.returncode == 0
	assert number(host, "SELECT COUNT(*) FROM `tabDogan Worker`") == 0
	assert Worker.all(connection=host.redis) == []
