"""Nodes of the lab: they register, keep as many workers as there is work for, and do as they are told."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from dogan_agents.cluster.node import judge, may_claim
from dogan_agents.cluster.registration import Given, NodeRow
from dogan_agents.cluster.sample import Sample
from dogan_agents.engine.drain import drain
from dogan_agents.engine.lease import prepare
from dogan_agents.engine.sql import NOW
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.node import Node
from dogan_agents.lab.pools import define_pools
from tests.engine.test_node import completed, number, running_on, start, wait_until

PAUSE = {"step": "a", "action": "pause"}


@pytest.fixture
def host(lab) -> LabHost:
	host = LabHost(lab.config, "test")
	define_pools(host.own)
	prepare(host.own)
	return host


@pytest.fixture
def node(host) -> Iterator[Callable[..., Node]]:
	"""Starts nodes, and kills them afterwards."""
	started = []

	def start(name: str = "mine", workers: int | None = 1, **options: float) -> Node:
		started.append(Node(host.config, name, workers, **options))
		started[-1].start()
		return started[-1]

	yield start
	for each in started:
		each.kill()


def pauses(host: LabHost, seconds: float, count: int) -> None:
	start(host, [{**PAUSE, "input": {"seconds": seconds}}], count)


def of_node(host: LabHost, column: str, name: str = "mine"):
	rows = host.own.query(f"SELECT `{column}` FROM `tabDogan Node` WHERE name = %s", (name,))
	return rows[0][0] if rows else None


def tell(host: LabHost, name: str = "mine", **values: object) -> None:
	for column, value in values.items():
		host.own.execute(f"UPDATE `tabDogan Node` SET {column} = %s WHERE name = %s", (value, name))


def set_workers(host: LabHost, least: int, most: int) -> None:
	for field, value in (("workers_per_node_min", least), ("workers_per_node_max", most)):
		host.own.execute(
			"UPDATE tabSingles SET value = %s WHERE doctype = 'Dogan Settings' AND field = %s", (value, field)
		)


def steward_of(node: Node) -> psutil.Process:
	(found,) = (
		each for each in psutil.Process(node.process.pid).children() if each.name() == "dogan-steward"
	)
	return found


class TestRow:
	def test_a_node_registers_and_says_how_it_is(self, host, node):
		node(workers=2)
		wait_until(lambda: of_node(host, "status") == "Healthy")
		expires = of_node(host, "expires")
		wait_until(lambda: of_node(host, "workers") == 2)
		assert 0 < of_node(host, "memory") < 100
		assert of_node(host, "workers_min") == of_node(host, "workers_max") == 2
		assert of_node(host, "address") and of_node(host, "version") and of_node(host, "started_at")
		assert of_node(host, "expires") > expires

	def row(self, host: LabHost, address: str = "here", **given: object) -> NodeRow:
		row = NodeRow("n", host.local, "1", Given(**given))
		row.address = address
		return row

	def test_silence_is_late_and_then_dead(self, host):
		db = host.own
		assert self.row(host).register(db)
		for left, status, dead in (
			(9, "Healthy", []),
			(4, "Late", []),
			(-1, "Dead", ["n"]),
			(-1, "Dead", []),
		):
			db.execute(f"UPDATE `tabDogan Node` SET expires = {NOW} + %s", (int(left * 1e6),))
			assert judge(db) == dead
			assert of_node(host, "status", "n") == status
			assert may_claim(db, "n") == (left > 0)

	def test_it_comes_back_from_the_dead(self, host):
		row = self.row(host)
		row.register(host.own)
		host.own.execute("UPDATE `tabDogan Node` SET expires = 1")
		judge(host.own)
		assert row.beat(host.own, Sample(), 1, 1)
		assert of_node(host, "status", "n") == "Healthy"

	def test_a_name_is_for_one(self, host):
		first, second = self.row(host), self.row(host, "elsewhere")
		assert first.register(host.own)
		assert not second.register(host.own)  # it lives
		host.own.execute("UPDATE `tabDogan Node` SET expires = 1")
		assert second.register(host.own)
		assert not first.beat(host.own, Sample(), 1, 1)
		assert first.is_anothers(host.own)
		again = self.row(host, "elsewhere")
		assert again.register(host.own)  # the one before it on that machine was killed
		assert second.wishes(host.own) is None

	def test_what_is_given_is_written_down_and_the_rest_stays(self, host):
		self.row(host, labels="region=eu", least=2).register(host.own)
		tell(host, "n", workers_min=3, pools="mail", cordoned=1)
		self.row(host, labels="region=us").register(host.own)
		columns = ("labels", "workers_min", "pools", "cordoned")
		assert [of_node(host, column, "n") for column in columns] == ["region=us", 3, "mail", 1]

	def test_who_left_comes_back_but_not_who_was_drained(self, host):
		row = self.row(host)
		row.register(host.own)
		row.leave(host.own)
		assert not may_claim(host.own, "n")
		self.row(host).register(host.own)
		assert may_claim(host.own, "n")
		tell(host, "n", cordoned=1, draining=1)
		self.row(host).register(host.own)
		assert not may_claim(host.own, "n")

	def test_without_a_node_process_nobody_forbids_anything(self, host):
		assert may_claim(host.own, "never seen")
		row = self.row(host)
		row.register(host.own)
		row.stop(host.own)
		assert may_claim(host.own, "n")  # plain workers took its place
		tell(host, "n", cordoned=1)
		assert not may_claim(host.own, "n")

	def test_a_drain_ends_when_nothing_runs_there(self, host):
		self.row(host).register(host.own)
		tell(host, "n", cordoned=1, draining=1)
		host.own.execute(
			"INSERT INTO `tabDogan Task` (name, status, node, running_on) VALUES ('t', 'Running', 'n', 'w')"
		)
		judge(host.own)
		assert of_node(host, "status", "n") == "Draining"
		host.own.execute("UPDATE `tabDogan Task` SET status = 'Completed', running_on = NULL")
		judge(host.own)
		assert of_node(host, "status", "n") == "Cordoned"

	def test_a_drain_on_a_cordoned_node_leaves_its_work(self, host):
		start(host, [{"step": "a", "action": "trivial"}], wake=False)
		self.row(host).register(host.own)
		tell(host, "n", cordoned=1)
		assert drain(LabHost(host.config, "n"), "default").reason == "cordoned"
		assert completed(host) == 0


class TestWorkers:
	@pytest.mark.slow
	def test_they_grow_when_work_waits_and_shrink_when_they_idle(self, host, node):
		set_workers(host, 1, 4)
		mine = node(workers=None, cool_down=2)
		wait_until(lambda: len(mine.workers()) == 1)
		pauses(host, 3, 12)
		wait_until(lambda: len(mine.workers()) == 4)
		wait_until(lambda: running_on(host, "mine") >= 4)
		wait_until(lambda: completed(host) == 12)
		wait_until(lambda: len(mine.workers()) == 1)
		assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE crashes > 0") == 0

	@pytest.mark.slow
	def test_the_limits_may_be_changed_at_any_time(self, host, node):
		set_workers(host, 1, 4)
		mine = node(workers=None)
		wait_until(lambda: len(mine.workers()) == 1)
		set_workers(host, 3, 4)
		wait_until(lambda: len(mine.workers()) == 3, 10)
		pauses(host, 1, 20)
		wait_until(lambda: running_on(host, "mine") >= 3)
		set_workers(host, 1, 1)
		wait_until(lambda: len(mine.workers()) == 1, 10)  # they ended before their time slices
		tell(host, workers_min=2, workers_max=2)
		wait_until(lambda: len(mine.workers()) == 2, 10)
		wait_until(lambda: completed(host) == 20)
		assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE crashes > 0") == 0

	def test_max_agents_leaves_no_room_for_more(self, host, node):
		host.own.execute("UPDATE tabSingles SET value = 1 WHERE field = 'max_agents'")
		set_workers(host, 1, 4)
		mine = node(workers=None)
		pauses(host, 1, 6)
		most = 0

		def done() -> bool:
			nonlocal most
			most = max(most, len(mine.workers()))
			return completed(host) == 6

		wait_until(done)
		assert most <= 2

	def test_a_new_pool_is_served(self, host, node):
		mine = node()
		wait_until(lambda: len(mine.workers()) == 1)
		host.own.execute(
			"INSERT INTO `tabDogan Pool` (name, creation, pool_name, queue) VALUES ('gpu', NOW(6), 'gpu', 'short')"
		)
		start(host, [{"step": "a", "action": "trivial", "pool": "gpu"}])
		wait_until(lambda: completed(host) == 1)

	def test_a_steward_that_dies_is_replaced_and_the_workers_stay(self, host, node):
		mine = node(workers=2)
		wait_until(lambda: len(mine.workers()) == 2)
		workers, before = mine.workers(), of_node(host, "incarnation")
		steward_of(mine).kill()
		wait_until(lambda: of_node(host, "incarnation") != before)
		assert mine.workers() == workers

	def test_workers_end_with_their_supervisor(self, host, node):
		mine = node(workers=2)
		wait_until(lambda: len(mine.workers()) == 2)
		mine.process.kill()
		mine.process.wait()
		wait_until(lambda: mine.pids() == [])
		assert of_node(host, "status") == "Stopped"


class TestDirecting:
	def test_a_cordon_stops_claims_and_an_uncordon_lets_them_go_on(self, host, node):
		mine = node(workers=2)
		pauses(host, 0.3, 100)
		wait_until(lambda: running_on(host, "mine"))
		tell(host, cordoned=1)
		began = time.monotonic()
		wait_until(lambda: not mine.workers() and not running_on(host, "mine"), 10)
		assert time.monotonic() - began < 10
		done = completed(host)
		assert done < 100
		wait_until(lambda: of_node(host, "status") == "Cordoned")
		assert completed(host) == done
		tell(host, cordoned=0)
		wait_until(lambda: completed(host) > done, 10)
		assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE crashes > 0") == 0

	def test_a_drained_node_is_empty_and_the_other_one_does_its_work(self, host, node):
		node("mine", workers=1)
		node("other", workers=1)
		pauses(host, 0.3, 30)
		wait_until(lambda: running_on(host, "mine") and running_on(host, "other"))
		tell(host, cordoned=1, draining=1)
		wait_until(lambda: of_node(host, "draining") == 0, 20)
		assert running_on(host, "mine") == 0
		wait_until(lambda: completed(host) == 30)
		assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE crashes > 0") == 0

	def test_it_stops_in_order(self, host, node):
		mine = node(workers=2)
		pauses(host, 0.3, 60)
		wait_until(lambda: running_on(host, "mine"))
		began = time.monotonic()
		mine.process.terminate()
		assert mine.process.wait(20) == 0
		assert time.monotonic() - began < 10  # not after its time slice
		assert (of_node(host, "status"), of_node(host, "workers"), of_node(host, "draining")) == (
			"Stopped",
			0,
			0,
		)
		assert number(host, "SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Running'") == 0
		assert completed(host) < 60
		assert mine.pids() == []

	@pytest.mark.slow
	def test_what_takes_longer_than_the_grace_is_killed_and_done_elsewhere(self, host, node):
		mine = node(grace=1)
		pauses(host, 5, 1)
		wait_until(lambda: running_on(host, "mine"))
		mine.process.terminate()
		assert mine.process.wait(10) == 0
		assert mine.pids() == []
		node("other")
		wait_until(lambda: completed(host) == 1)


class TestTrouble:
	@pytest.mark.slow
	def test_two_nodes_and_one_of_them_dies(self, host, node):
		mine = node("mine")
		node("other")
		pauses(host, 0.3, 30)
		wait_until(lambda: running_on(host, "mine") and running_on(host, "other"))
		mine.kill()
		wait_until(lambda: completed(host) == 30)
		wait_until(lambda: of_node(host, "status") == "Dead")
		assert of_node(host, "status", "other") == "Healthy"

	def test_it_outlives_restarts_of_the_database_and_of_redis(self, lab, host, node):
		mine = node(workers=2)
		wait_until(lambda: len(mine.workers()) == 2)
		lab.restart_mariadb()
		lab.restart_redis()
		host.own.reset()
		pauses(host, 0.1, 10)
		wait_until(lambda: completed(host) == 10)
		expires = of_node(host, "expires")
		wait_until(lambda: of_node(host, "expires") > expires)
		assert mine.alive

	@pytest.mark.slow
	def test_workers_are_there_soon_after_redis_was_away_for_long(self, lab, host, node):
		"""RQ's own would sleep for up to a minute before they look again."""
		mine = node(workers=2)
		wait_until(lambda: len(mine.workers()) == 2)
		lab.stop_redis()
		try:
			time.sleep(25)
		finally:
			lab.start_redis()
		pauses(host, 0.1, 10)
		wait_until(lambda: completed(host) == 10, 10)

	def test_a_database_that_is_not_there_yet_is_waited_for(self, lab, host, node):
		lab.stop_mariadb()
		try:
			mine = node()
			wait_until(lambda: len(mine.pids()) == 2)  # the supervisor and its steward
		finally:
			lab.start_mariadb()
		host.own.reset()
		wait_until(lambda: of_node(host, "status") == "Healthy")

	@pytest.mark.slow
	def test_a_node_whose_heart_stops_takes_no_work(self, host, node):
		mine = node()
		wait_until(lambda: len(mine.workers()) == 1)
		steward = steward_of(mine)
		steward.suspend()
		try:
			wait_until(lambda: not may_claim(host.own, "mine"), 20)
			pauses(host, 0.1, 5)
			with suppress(AssertionError):
				wait_until(lambda: completed(host), 5)
			assert completed(host) == 0
		finally:
			steward.resume()
		wait_until(lambda: completed(host) == 5)


def test_a_killed_worker_is_replaced_with_its_job_done_once(host, node):
	mine = node(workers=1)
	start(host, [{"step": "a", "action": "effect", "input": {"seconds": 0.2}}], 10)
	wait_until(lambda: completed(host) >= 2)
	(worker,) = mine.workers()
	os.kill(worker, signal.SIGKILL)
	wait_until(lambda: mine.workers() not in ([], [worker]))
	wait_until(lambda: completed(host) == 10)
	assert number(host, "SELECT COUNT(*) FROM lab_effect") == 10
