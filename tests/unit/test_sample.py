"""How busy a machine was between two readings."""

import psutil
import pytest

from dogan_agents.cluster.sample import Reading, Sampler, rates_between

BEFORE = Reading(10.0, 100.0, 400.0, 1_000_000, 2_000_000, 3_000_000, 4_000_000)


@pytest.mark.parametrize(
	("after", "expected"),
	[
		(
			Reading(15.0, 104.0, 410.0, 6_000_000, 3_000_000, 3_500_000, 4_000_000),
			(40.0, 1.0, 0.2, 0.1, 0.0),
		),
		(Reading(10.0, 100.0, 400.0, 9, 9, 9, 9), (0.0, 0.0, 0.0, 0.0, 0.0)),  # no time has passed
		(Reading(15.0, 90.0, 410.0), (0.0, 0.0, 0.0, 0.0, 0.0)),  # counters were reset
		(
			Reading(15.0, 111.0, 410.0, 1_000_000, 2_000_000, 3_000_000, 4_000_000),
			(100.0, 0.0, 0.0, 0.0, 0.0),
		),
	],
)
def test_rates(after, expected):
	assert rates_between(BEFORE, after) == pytest.approx(expected)


def test_this_machine():
	sample = Sampler()()
	assert 0 <= sample.cpu <= 100
	assert 0 < sample.memory < 100
	assert 0 < sample.disk <= 100
	assert min(sample.disk_read, sample.disk_write, sample.net_in, sample.net_out, sample.load) >= 0


def test_a_machine_without_counters(monkeypatch):
	monkeypatch.setattr(psutil, "disk_io_counters", lambda: None)
	monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
	assert Sampler()().disk_read == 0
