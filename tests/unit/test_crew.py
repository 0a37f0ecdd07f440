"""Workers are started, asked to stop, and replaced."""

import signal

import pytest

from dogan_agents.cluster import crew as module
from dogan_agents.cluster.crew import LONGEST_DELAY, PATIENCE, STEADY, Crew, Kind

KIND = Kind(("default",))


class Machine:
	"""Processes that are not there."""

	def __init__(self):
		self.pids: list[int] = []
		self.busy: set[int] = set()
		self.signals: list[tuple[int, int]] = []
		self.killed: list[int] = []

	def start(self, kind: Kind) -> int:
		self.pids.append(len(self.pids) + 1)
		return self.pids[-1]


@pytest.fixture
def machine(monkeypatch) -> Machine:
	machine = Machine()
	monkeypatch.setattr(module, "children", lambda pid: [-pid] if pid in machine.busy else [])
	monkeypatch.setattr(module, "kill_tree", machine.killed.append)
	monkeypatch.setattr(module.os, "kill", lambda pid, number: machine.signals.append((pid, number)))
	return machine


@pytest.fixture
def crew(machine) -> Crew:
	return Crew(machine.start)


def test_the_idle_and_the_youngest_go_first(crew, machine):
	for at in range(4):
		crew.keep(at + 1, KIND, float(at))
	machine.busy = {2, 4}
	crew.keep(1, KIND, 10.0)
	assert machine.signals == [(3, signal.SIGTERM), (1, signal.SIGTERM), (4, signal.SIGTERM)]
	assert [worker.pid for worker in crew.staying] == [2]
	crew.keep(1, KIND, 11.0)
	assert len(machine.signals) == 3  # RQ would take a second one for a cold stop


def test_who_does_not_stop_is_killed_at_last(crew, machine):
	crew.keep(1, KIND, 0.0)
	crew.keep(0, KIND, 1.0)
	crew.kill_late(PATIENCE)
	assert machine.killed == []
	crew.stop(5.0)
	crew.kill_late(6.0)
	assert machine.killed == [1]
	assert len(machine.signals) == 1


def test_others_take_over_when_the_queues_change(crew, machine):
	crew.keep(2, KIND, 0.0)
	crew.keep(2, Kind(("default", "mail")), 1.0)
	assert [pid for pid, _ in machine.signals] == [1, 2]
	assert [worker.pid for worker in crew.staying] == [3, 4]
	assert len(crew) == 4


def test_who_dies_at_once_is_replaced_ever_later(crew, machine):
	now, gaps = 0.0, []
	crew.keep(1, KIND, now)
	for _ in range(8):
		crew.ended(machine.pids[-1], now)
		began, count = now, len(machine.pids)
		while len(machine.pids) == count:
			now += 0.1
			crew.keep(1, KIND, now)
		gaps.append(now - began)
	assert gaps == sorted(gaps)
	assert gaps[0] < 1
	assert gaps[-1] == pytest.approx(LONGEST_DELAY, abs=0.2)


def test_one_at_a_time_while_they_fail(crew, machine):
	crew.keep(3, KIND, 0.0)
	for pid in (1, 2, 3):
		crew.ended(pid, 1.0)
	crew.keep(3, KIND, 100.0)
	assert len(crew) == 1


def test_who_was_steady_is_replaced_soon(crew, machine):
	crew.keep(2, KIND, 0.0)
	crew.ended(1, STEADY + 1)
	crew.keep(2, KIND, STEADY + 1.3)
	assert len(crew) == 2


def test_who_was_asked_to_stop_has_not_failed(crew, machine):
	crew.keep(1, KIND, 0.0)
	crew.keep(0, KIND, 1.0)
	crew.ended(1, 2.0)
	crew.keep(1, KIND, 2.0)
	assert len(crew) == 1
