"""Runs that start by the clock."""

import threading
from datetime import datetime, timedelta, timezone

import pytest

from dogan_agents.engine.schedule import start_due
from tests.engine.world import step

AT = datetime(2024, 3, 15, 10, 7, 42, tzinfo=timezone.utc)
US = int(AT.timestamp() * 1_000_000)
MINUTE = 60_000_000


def add_trigger(world, cron: str = "* * * * *", name: str = "t1", workflow: str = "w", **fields) -> None:
	values = {
		"name": name,
		"parent": workflow,
		"parenttype": "Dogan Workflow",
		"trigger_type": "Schedule",
		"enabled": 1,
		"cron": cron,
		"creation": datetime(2024, 1, 1),
		**fields,
	}
	world.db.execute(
		f"INSERT INTO `tabDogan Workflow Trigger` ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
		list(values.values()),
	)


def started(world) -> int:
	return world.value("SELECT COUNT(*) FROM `tabDogan Run`")


@pytest.fixture(autouse=True)
def version(world) -> str:
	return world.define(step("a", input={"echo": "{{ input }}"}), workflow="w")


def test_once_a_minute(world):
	add_trigger(world, input='{"at": "{{ now }}"}')
	assert [start_due(world.host, world.db, US + offset) for offset in (0, 10, MINUTE // 4, MINUTE)] == [
		1,
		0,
		0,
		1,
	]
	rows = world.db.query(
		"SELECT `trigger`, user, input, idempotency_key FROM `tabDogan Run` ORDER BY idempotency_key"
	)
	assert rows[0] == ("schedule", "lab", '{"at":"2024-03-15T10:07:00"}', "schedule:t1:2024-03-15 10:07")
	world.drain()
	assert world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Completed'") == 2


def test_administrator_and_guest_lend_no_name(world):
	add_trigger(world)
	for name in ("Administrator", "Guest"):
		world.db.execute("UPDATE `tabDogan Workflow` SET modified_by = %s", (name,))
		assert start_due(world.host, world.db, US) == 0
		assert "nobody to run as" in world.logged[-1]
	world.db.execute("INSERT INTO `tabDogan Agent` (name, user, enabled) VALUES ('x', 'ada@example.com', 1)")
	world.db.execute("UPDATE `tabDogan Workflow` SET agent = 'x'")
	assert start_due(world.host, world.db, US) == 1
	assert world.value("SELECT user FROM `tabDogan Run`") == "ada@example.com"


def test_once_although_two_sweep(world):
	for number in range(5):
		add_trigger(world, name=f"t{number}")
	together = threading.Barrier(3)
	counts = []

	def turn() -> None:
		host = world.another_host()
		host.spec("w-v1")
		together.wait()
		counts.append(start_due(host, host.own, US))

	threads = [threading.Thread(target=turn) for _ in range(3)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join(30)
	assert sum(counts) == started(world) == 5


def test_the_sweep_does_it(world):
	add_trigger(world)
	assert world.sweep().started == 1
	assert world.sweep().started <= 1


def test_one_that_was_missed_lately_is_made_up_for(world):
	add_trigger(world, cron="0 10 * * *")
	assert start_due(world.host, world.db, US) == 1


@pytest.mark.parametrize(
	("cron", "fields"),
	[
		("0 9 * * *", {}),
		("0 10 * * *", {"creation": AT.replace(tzinfo=None) - timedelta(minutes=1)}),
		("* * * * *", {"enabled": 0}),
		("* * * * *", {"trigger_type": "Mail"}),
	],
	ids=["missed long ago", "due before it was made", "disabled", "of another kind"],
)
def test_what_does_not_start(world, cron, fields):
	add_trigger(world, cron=cron, **fields)
	assert start_due(world.host, world.db, US) == 0


def test_a_disabled_workflow_does_not_start(world):
	add_trigger(world)
	world.db.execute("UPDATE `tabDogan Workflow` SET enabled = 0")
	assert start_due(world.host, world.db, US) == 0


def test_two_of_one_workflow_at_the_same_time(world):
	add_trigger(world, name="t1", input='{"x": 1}')
	add_trigger(world, name="t2", input='{"x": 2}')
	assert start_due(world.host, world.db, US) == 2


@pytest.mark.parametrize(
	"fields",
	[{"cron": "61 * * * *"}, {"input": '{"x": "{{ nothing }}"}'}, {"input": "{"}, {"input": '{"x": "{{ now'}],
)
def test_a_wrong_one_is_logged_and_stops_nobody(world, fields):
	add_trigger(world, **{"cron": "* * * * *", "name": "a-wrong", **fields})
	add_trigger(world, name="b-good")
	assert start_due(world.host, world.db, US) == 1
	assert [line for line in world.logged if "cannot start a run" in line and " of w " in line]
