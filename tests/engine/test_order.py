"""Who comes first."""

import pytest

from tests.engine.world import step, until


def order_of(world, worker: str = "w") -> list[str]:
	"""The workflows of all ready tasks, in the order in which they are claimed."""
	names = []
	while found := world.claim(100, worker).tasks:
		names += [
			world.value("SELECT workflow FROM `tabDogan Task` WHERE name = %s", task.name) for task in found
		]
	world.release_all()
	return names


def test_priorities(world):
	for workflow, priority in (("low", 1), ("high", 9), ("middle", 5)):
		world.start_many(world.define(step("a"), workflow=workflow, priority=priority), [None] * 3)
	world.start(world.define(step("a"), workflow="least", priority=9), priority=-5)
	world.start(world.define(step("a"), workflow="urgent", priority=0), priority=99)
	names = order_of(world)
	assert sorted(names[:4]) == ["high", "high", "high", "urgent"]
	assert names[4:] == ["middle"] * 3 + ["low"] * 3 + ["least"]


def test_ten_thousand_of_one_do_not_delay_one_of_another(world):
	many = world.define(step("a"), workflow="many")
	for _ in range(10):
		world.start_many(many, [None] * 1000)
	while world.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Ready'") < 2000:
		world.claim(1, "w")
		world.release_all()
	one = world.start(world.define(step("a"), step("b", "a"), workflow="one"))
	taken = []
	for name in ("a", "b"):
		while f"{one}-{name}" not in world.claimed:
			taken += world.claim(10, "w").tasks
		world.finish(one, name)
	assert world.status(one) == "Completed"
	assert len(taken) <= 40
	world.release_all()


def test_ten_thousand_admitted_ones_neither(world):
	many = world.define(step("a"), workflow="many")
	world.start_many(many, [None] * 3000)
	while world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Queued'"):
		world.claim(1, "w")
		world.release_all()
	world.start(world.define(step("a"), workflow="one"))
	assert "one" in order_of(world)[:10]


@pytest.mark.parametrize("first", ["double", "single"])
def test_weights_are_shares(world, first):
	weights = {"double": 2.0, "single": 1.0}
	for workflow in sorted(weights, key=lambda name: name != first):
		world.start_many(world.define(step("a"), workflow=workflow, weight=weights[workflow]), [None] * 120)
	while world.value("SELECT COUNT(*) FROM `tabDogan Run` WHERE status = 'Queued'"):
		world.claim(1, "w")
		world.release_all()
	first = order_of(world)[:90]
	assert 55 <= first.count("double") <= 65


def test_a_fairness_key_shares_within_a_workflow(world):
	version = world.define(step("a"), fairness_key="{{ input.company }}")
	world.start_many(version, [{"company": "big"}] * 100)
	small = world.start(version, {"company": "small"})
	names = []
	while found := world.claim(10, "w").tasks:
		names += [task.run for task in found]
	assert names.index(small) <= 3
	assert world.of_run(small, "fair_key") == "w:small"
	world.release_all()


def test_what_is_given_back_keeps_its_place(world):
	runs = world.start_many(world.define(step("a")), [None] * 30)
	first = [task.name for task in world.claim(10, "w").tasks]
	world.release_all()
	assert world.of_task(runs[0], "a", "status", "attempt") == ("Ready", 0)
	assert [task.name for task in world.claim(10, "w").tasks] == first
	world.release_all()


def test_a_drain_gives_back_what_it_cannot_do_in_time(world):
	"""It has claimed a hundred, and finds out that each takes long."""
	world.start_many(world.define(step("a", action="effect", input={"seconds": 0.2})), [None] * 100)
	world.db.execute("UPDATE `tabDogan Pool` SET idle_seconds = 2")
	threads = world.drain_in_threads(2)
	until(
		lambda: (
			world.value("SELECT COUNT(DISTINCT node) FROM `tabDogan Task` WHERE status = 'Completed'") == 2
		)
	)
	world.db.execute("UPDATE tabSingles SET value = '0' WHERE field = 'enabled'")
	for thread in threads:
		thread.join(30)
	assert world.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Running'") == 0
	assert set(world.db.query("SELECT attempt FROM `tabDogan Task` WHERE status = 'Ready'")) == {(0,)}
