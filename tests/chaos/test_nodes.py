"""Nodes die, are cut off, lose their servers or their disk: their work is done elsewhere, and once.

DOGAN_SOAK=3600 lets all of it happen at random for an hour; DOGAN_CHAOS_NETWORK=proxies does without namespaces.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis

from dogan_agents.lab.schema import create_schema, reset
from dogan_agents.lab.server import LabServers
from tests.chaos.cluster import WORST, Cluster
from tests.chaos.conftest import make_chance
from tests.chaos.network import Network, make_network, small_disk
from tests.chaos.storm import TRIED, until

SOAK = float(os.environ.get("DOGAN_SOAK", "0"))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
	with make_network() as network:
		yield network


@pytest.fixture(scope="module")
def servers(network: Network) -> Iterator[LabServers]:
	with LabServers(address=network.address) as servers:
		with servers.config.connect() as connection:
			create_schema(connection)
		yield servers


@pytest.fixture
def cluster(servers: LabServers, network: Network) -> Iterator[Cluster]:
	servers.start_mariadb()
	servers.start_redis()
	with servers.config.connect() as connection:
		reset(connection)
	with redis.Redis.from_url(servers.config.redis_url) as client:
		client.flushall()
	cluster = Cluster(servers, make_chance(), network)
	yield cluster
	cluster.end()


def test_a_node_is_killed_and_comes_back(cluster, record_property):
	cluster.add_nodes(2)
	cluster.start_long(12, 0.4)
	cluster.wait_for_progress(cluster.chance.randrange(2, 10))
	victim = cluster.busiest()
	found = cluster.failover(cluster.strike(victim, victim.kill))
	record_property("failover_seconds", found.claimed)
	victim.start()
	cluster.start(10)
	until(lambda: cluster.held_by(victim))
	assert cluster.status(victim) == "Healthy"
	cluster.check()


def test_a_node_that_is_cut_off_stops_by_itself_and_none_of_its_late_writes_is_accepted(
	cluster, record_property
):
	cluster.add_nodes(2)
	cluster.start_long(5, 1.2)
	victim = cluster.busiest()
	time.sleep(cluster.chance.uniform(0, 1))
	link = cluster.links[victim.name]
	found = cluster.failover(cluster.strike(victim, link.cut))
	record_property("failover_seconds", found.claimed)
	until(lambda: cluster.status(victim) == "Dead", WORST)
	until(lambda: cluster.done() == 10)
	assert not TRIED.search(victim.log.read_text())
	link.mend()
	mended = time.monotonic()
	until(lambda: TRIED.search(victim.log.read_text()))
	cluster.wait_for(victim)
	cluster.start(6)
	until(lambda: cluster.held_by(victim))
	record_property("rejoin_seconds", time.monotonic() - mended)
	print(f"the node was back after {time.monotonic() - mended:.1f} s")
	cluster.check()


@pytest.mark.slow
def test_a_whole_node_is_frozen_and_thaws(cluster):
	cluster.add_nodes(2)
	cluster.start_long(10, 0.8)
	victim = cluster.busiest()
	outage = cluster.strike(victim, lambda: cluster.freeze(cluster.all_of(victim)))
	cluster.failover(outage)
	cluster.thaw()
	until(lambda: cluster.status(victim) == "Healthy")
	cluster.check()


def test_the_leader_dies_with_a_worker(cluster):
	cluster.add_nodes(2)
	cluster.start_long(12, 0.4)
	leader = until(cluster.leader)
	cluster.busiest()
	cluster.kill_steward(leader)
	cluster.kill_a_worker()
	cluster.check()
	until(lambda: cluster.leader() is not None, WORST)


@pytest.mark.parametrize("seconds", [20, pytest.param(60, marks=pytest.mark.slow)])
def test_redis_is_wiped_and_then_away_for_a_while(cluster, seconds):
	cluster.add_nodes(2)
	cluster.start(40)
	cluster.wait_for_progress()
	cluster.flush_redis()
	cluster.start(40)
	cluster.wait_for_progress()
	cluster.lab.stop_redis()
	cluster.start(40)
	time.sleep(seconds)
	cluster.lab.start_redis()
	back = time.monotonic()
	cluster.start(40)
	cluster.check()
	print(f"all was done {time.monotonic() - back:.1f} s after Redis had come back")


@pytest.mark.slow
def test_a_disk_is_full_on_one_node(cluster, tmp_path):
	with small_disk(tmp_path / "disk", 2) as disk:
		if disk is None:
			pytest.skip("no file system may be mounted here")
		healthy, full = cluster.add_node(), cluster.add_node(folder=disk)
		for node in (healthy, full):
			cluster.wait_for(node)
		with (disk / "ballast").open("wb") as ballast:
			with pytest.raises(OSError):
				ballast.write(bytes(4_000_000))
		cluster.start_long(16, 0.1, kilobytes=64)
		cluster.lab.restart_redis()  # everybody has something to log
		os.kill(full.workers()[0], signal.SIGKILL)
		cluster.check()
		assert full.alive and cluster.status(full) == "Healthy"
		errors = "SELECT COUNT(*) FROM `tabDogan Task` WHERE attempt > 1"
		print(f"{cluster.value(errors)} steps had to be done a second time")
		(disk / "ballast").unlink()
		cluster.start(20)
		until(lambda: cluster.held_by(full))
		cluster.check()
		cluster.end()


def rage(cluster: Cluster, seconds: float) -> None:
	"""Whatever can happen, one thing after the other, while runs are fed; all is well again in the end."""
	strikes = [
		*[cluster.kill_a_worker] * 4,
		*[cluster.kill_a_node] * 2,
		cluster.kill_the_leader,
		cluster.cut_off_a_node,
		cluster.freeze_a_node,
		cluster.flush_redis,
		cluster.lab.restart_redis,
		cluster.lab.restart_mariadb,
		lambda: (cluster.lab.kill_mariadb(), cluster.lab.start_mariadb()),
	]
	ends = time.monotonic() + seconds
	while time.monotonic() < ends:
		cluster.feed(8)
		strike = cluster.chance.choice(strikes)
		print(
			f"{cluster.started} runs, {cluster.done()} steps: {getattr(strike, '__name__', 'kill')}: {strike()}"
		)
		time.sleep(cluster.chance.uniform(0.5, 3.0))
		cluster.mend_some()
	cluster.mend_all()
	cluster.check()


@pytest.mark.slow
def test_everything_happens_to_three_nodes(cluster):
	cluster.add_nodes(3)
	rage(cluster, 45)


@pytest.mark.skipif(not SOAK, reason="DOGAN_SOAK=seconds")
@pytest.mark.timeout(SOAK + 600)
def test_everything_happens_for_as_long_as_you_like(cluster):
	cluster.add_nodes(3)
	rage(cluster, SOAK)
