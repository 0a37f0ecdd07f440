"""How many rows are read, and locked, for a step: it must not depend on how many there are."""

from dogan_agents.engine import drain as drains
from tests.engine.world import step

ROWS = 300


def reads(world) -> int:
	return sum(int(count) for _, count in world.db.query("SHOW SESSION STATUS LIKE 'Handler_read%'"))


def test_one_result_is_written_without_reading_the_others(world):
	version = world.define(step("a"))
	world.start_many(version, [None] * ROWS)
	world.drain()
	run = world.start(version)
	world.claim(1)
	before = reads(world)
	world.finish(run, "a")
	assert reads(world) - before < ROWS


def test_one_task_is_given_back_without_reading_the_others(world):
	version = world.define(step("a"))
	world.start_many(version, [None] * ROWS)
	world.drain()
	world.start(version)
	world.claim(1)
	before = reads(world)
	world.release_all()
	assert reads(world) - before < ROWS


def test_who_takes_steps_one_by_one_leaves_the_others_to_others(world, monkeypatch):
	asked = []

	def claim(host, pool, worker, size, now, **options):
		asked.append(size)
		return take(host, pool, worker, size, now, **options)

	take = drains.claim
	monkeypatch.setattr(drains, "claim", claim)
	world.start_many(world.define(step("a", action="pause")), [None] * 5)
	world.drain()
	assert asked[:5] == [drains.MAX_BATCH, *[drains.ALONE] * 4]
