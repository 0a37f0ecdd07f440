import multiprocessing
import re
import time

from dogan_agents.engine.ids import new_id, task_name


def many(count: int) -> list[str]:
	return [new_id() for _ in range(count)]


def test_shape():
	assert re.fullmatch(r"[0-9a-hj-km-np-tv-z]{18}", new_id())


def test_later_ones_sort_after():
	ids = []
	for _ in range(20):
		ids.append(new_id())
		time.sleep(0.002)
	assert ids == sorted(ids)


def test_unique_also_after_a_fork():
	with multiprocessing.get_context("fork").Pool(4) as pool:
		ids = [name for names in pool.map(many, [2000] * 4) for name in names] + many(2000)
	assert len(set(ids)) == 10_000


def test_task_names():
	assert task_name("r", "a") == "r-a"
	assert task_name("r", "a", 3) == "r-a-3"
