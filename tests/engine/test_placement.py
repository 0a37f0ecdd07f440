"""Tasks that ask for a place: which node claims them, and what happens when it is gone."""

import pytest

from dogan_agents.engine import claim as claiming
from dogan_agents.engine.claim import claim
from dogan_agents.engine.drain import drain
from dogan_agents.engine.sql import NOW
from dogan_agents.host import tables
from dogan_agents.host.hands import node_queue
from tests.engine.world import step


@pytest.fixture(autouse=True)
def fresh_readings(monkeypatch):
	monkeypatch.setattr(tables, "KEEP_NODES_SECONDS", 0.0)
	monkeypatch.setattr(claiming, "STEAL_AFTER", 3_600_000_000)


def join(world, name: str, labels: str = "", weight: float = 1.0, **columns) -> None:
	values = {"cordoned": 0, "draining": 0, "pools": None, **columns}
	world.db.execute(
		"REPLACE INTO `tabDogan Node` (name, node_name, labels, weight, expires, cordoned, draining, pools) "
		f"VALUES (%s, %s, %s, %s, {NOW} + 60000000, %s, %s, %s)",
		(name, name, labels, weight, values["cordoned"], values["draining"], values["pools"]),
	)


def leave(world, name: str) -> None:
	world.db.execute(f"UPDATE `tabDogan Node` SET expires = {NOW} - 1 WHERE name = %s", (name,))


def claimed(world, node: str, size: int = 100) -> list[str]:
	"""The runs whose tasks a worker on the node takes; it lives for an hour."""
	host = world.another_host(node)
	world.db.execute(
		"INSERT IGNORE INTO `tabDogan Worker` (name, status, node, pool, started_at, expires) "
		f"VALUES (%s, 'Idle', %s, 'default', NOW(6), {NOW} + 3600000000)",
		(f"{node}-worker", node),
	)
	return [task.run for task in claim(host, "default", f"{node}-worker", size, world.now()).tasks]


def placed(world, policy: str, value: str = "", required: bool = False, count: int = 1) -> list[str]:
	"""Runs of one step with that placement, admitted by a worker on a node of no name."""
	version = world.define(
		step("a", placement=policy, placement_value=value, placement_required=required), workflow="placed"
	)
	return world.start_many(version, [{"n": n} for n in range(count)])


def test_a_named_node_gets_its_task_and_no_other_does(world):
	for name in ("n1", "n2"):
		join(world, name)
	(run,) = placed(world, "Node", "n2", True)
	assert claimed(world, "n1") == []
	assert world.of_task(run, "a", "target", "pinned", "status") == ("n2", 1, "Ready")
	assert claimed(world, "n2") == [run]


def test_what_is_not_pinned_is_stolen_when_it_has_waited(world, monkeypatch):
	for name in ("n1", "n2"):
		join(world, name)
	(run,) = placed(world, "Node", "n2")
	assert claimed(world, "n1") == []
	monkeypatch.setattr(claiming, "STEAL_AFTER", 0)
	assert claimed(world, "n1") == [run]


def test_what_is_pinned_is_never_stolen(world, monkeypatch):
	monkeypatch.setattr(claiming, "STEAL_AFTER", 0)
	for name in ("n1", "n2"):
		join(world, name)
	placed(world, "Node", "n2", True)
	assert claimed(world, "n1") == []


def test_the_queue_of_a_node_and_that_of_all_are_one_by_order(world):
	join(world, "n1")
	anybody = world.define(step("a"), workflow="any")
	third = world.start(anybody, priority=1)
	first = world.start(anybody, priority=9)
	(second,) = placed(world, "Node", "n1", True)
	assert claimed(world, "n1", 2) == [first, second]
	assert claimed(world, "n1") == [third]


def test_round_robin_is_even_and_each_takes_its_own(world):
	for name in ("n1", "n2", "n3"):
		join(world, name)
	placed(world, "Round Robin", count=30)
	assert {len(claimed(world, name)) for name in ("n1", "n2", "n3")} == {10}


def test_the_same_key_goes_to_the_same_node(world):
	for name in ("n1", "n2", "n3"):
		join(world, name)
	runs = placed(world, "Affinity", "{{ input.n % 4 }}", count=40)
	for name in ("n1", "n2", "n3"):
		claimed(world, name)
	nodes = [world.of_task(run, "a", "node") for run in runs]
	assert [len(set(nodes[key::4])) for key in range(4)] == [1, 1, 1, 1]


def test_a_required_label_waits_for_a_node_that_has_it(world):
	join(world, "n1", "region=eu")
	(run,) = placed(world, "Label", "region=us", True)
	assert claimed(world, "n1") == []
	assert world.of_task(run, "a", "status", "blocked_on") == (
		"Blocked",
		"place:no healthy node has region=us",
	)
	assert world.sweep().placed == 0
	join(world, "n2", "region=us")
	assert world.sweep().placed == 1
	assert claimed(world, "n1") == []
	assert claimed(world, "n2") == [run]


def test_a_later_step_is_placed_when_it_becomes_ready(world):
	join(world, "n1", "gpu=1")
	version = world.define(
		step("a"), step("b", "a", placement="Label", placement_value="gpu=1", placement_required=True)
	)
	run = world.start(version)
	drain(world.another_host("n0"), "default")
	assert world.steps(run) == {"a": "Completed", "b": "Ready"}
	drain(world.another_host("n1"), "default")
	assert world.status(run) == "Completed"
	assert world.of_task(run, "b", "node") == "n1"


def test_a_gone_nodes_tasks_get_another_place(world):
	for name in ("n1", "n2"):
		join(world, name, "gpu=1")
	runs = placed(world, "Label", "gpu=1", True, count=10)
	claimed(world, "n0")
	leave(world, "n1")
	assert world.sweep().placed == 5
	assert sorted(claimed(world, "n2")) == sorted(runs)


@pytest.mark.parametrize("state", [{"cordoned": 1}, {"draining": 1}, {"pools": "mail"}])
def test_a_node_that_takes_no_work_gets_none(world, state):
	join(world, "n1", **state)
	join(world, "n2")
	placed(world, "Least Loaded", count=4)
	claimed(world, "n0")
	assert world.db.query("SELECT DISTINCT target FROM `tabDogan Task`") == (("n2",),)


def test_a_pinned_task_waits_for_its_node_to_come_back(world):
	join(world, "n1")
	(run,) = placed(world, "Node", "n1", True)
	claimed(world, "n0")
	leave(world, "n1")
	world.sweep()
	assert world.of_task(run, "a", "blocked_on") == "place:node n1 takes no work now"
	join(world, "n1")
	world.sweep()
	assert claimed(world, "n1") == [run]


def test_a_node_is_woken_through_its_own_queue(world):
	join(world, "n1")
	placed(world, "Node", "n1", True)
	claimed(world, "n0")
	world.sweep()
	assert world.host.redis.llen(f"rq:queue:{node_queue('n1')}") == 1
	world.sweep()
	assert world.host.redis.llen(f"rq:queue:{node_queue('n1')}") == 1
