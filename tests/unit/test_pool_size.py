"""How many workers a node should have."""

import pytest

from dogan_agents.cluster.pool import DEFAULT, Demand, decide

NOW = 1000.0
WAITED = {"waiting": 9, "waited": 2.0}


def wanted(demand: Demand, workers: int, busy: int, calm: float = 0.0) -> int:
	return decide(demand, workers, busy, NOW - calm, NOW, DEFAULT).workers


@pytest.mark.parametrize(
	("workers", "busy", "fields", "expected"),
	[
		(0, 0, {}, 1),  # the fewest
		(9, 9, {}, 8),  # the most, which was lowered
		(2, 2, {}, 2),  # nothing waits
		(2, 2, WAITED, 3),  # work waits
		(6, 6, WAITED, 8),  # half as many more, up to the most
		(4, 4, {"waiting": 1, "waited": 2.0}, 5),  # but no more than can be used
		(2, 1, WAITED, 2),  # somebody is idle: they will take it
		(2, 2, {"waiting": 2, "waited": 0.2}, 2),  # it has just come
		(2, 2, {"waiting": 3, "waited": 0.2}, 3),  # it has just come, but there is much of it
		(2, 2, {**WAITED, "memory": 93.0}, 2),  # no room
		(2, 2, {**WAITED, "cpu": 99.0}, 2),  # the processors are busy
		(2, 2, {"waiting": 9, "waited": 20.0, "cpu": 99.0}, 3),  # they are, but it takes too long
	],
)
def test_more_when_work_waits(workers, busy, fields, expected):
	assert wanted(Demand(1, 8, **fields), workers, busy) == expected


@pytest.mark.parametrize(
	("workers", "busy", "calm", "expected"),
	[
		(4, 0, 29.0, 4),  # not yet
		(4, 0, 31.0, 2),  # half of the idle ones
		(4, 3, 31.0, 3),
		(4, 4, 31.0, 4),  # nobody is idle
		(1, 0, 31.0, 1),  # the fewest
	],
)
def test_fewer_when_nothing_waits_for_long(workers, busy, calm, expected):
	assert wanted(Demand(1, 8), workers, busy, calm) == expected


def test_a_cordoned_node_has_none():
	assert wanted(Demand(0, 0, **WAITED), 4, 4) == 0


def test_scaling_to_nothing_and_back():
	assert wanted(Demand(0, 8), 1, 0, calm=31.0) == 0
	assert wanted(Demand(0, 8, waiting=1, waited=1.5), 0, 0) == 1


def test_the_cool_down_begins_anew():
	demand = Demand(1, 8)
	busy = decide(demand, 4, 4, NOW - 99, NOW, DEFAULT)
	assert busy.calm_since == NOW  # nobody was idle
	waiting = decide(Demand(1, 8, waiting=1, waited=0.1), 4, 3, NOW - 99, NOW, DEFAULT)
	assert waiting.calm_since == NOW  # something waited
	fewer = decide(demand, 4, 0, NOW - 31, NOW, DEFAULT)
	assert (fewer.workers, fewer.calm_since) == (2, NOW)  # one step at a time


def test_the_fewest_are_never_more_than_the_most():
	assert wanted(Demand(5, 2), 0, 0) == 2
