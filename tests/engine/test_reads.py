"""How many rows are read to write a result: it must not depend on how many there are."""

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
