"""Wake-ups over Redis and RQ."""

import time

import pytest
from redis import Redis
from rq import Queue, SimpleWorker

from dogan_agents.lab.config import ENVIRONMENT
from tests.engine.world import step, until


@pytest.fixture(autouse=True)
def lab_in_the_environment(world, monkeypatch):
	monkeypatch.setenv(ENVIRONMENT, world.config.to_json())


@pytest.fixture
def hands(world):
	return world.host.hands


@pytest.fixture
def queue(world) -> Queue:
	return Queue("default", connection=world.host.redis)


def work(queue: Queue) -> None:
	SimpleWorker([queue], connection=queue.connection).work(burst=True, logging_level="ERROR")


def test_a_pool_is_woken_once(hands, queue):
	for _ in range(20):
		hands.wake("default")
	assert len(queue) == 1


def test_each_pool_has_its_own_queue(hands, queue, world):
	hands.wake("mail")
	assert len(queue) == 0 and len(Queue("mail", connection=world.host.redis)) == 1


def test_a_disabled_pool_is_not_woken(hands, queue, world):
	world.db.execute("UPDATE `tabDogan Pool` SET enabled = 0")
	hands.wake("default")
	assert len(queue) == 0


def test_who_is_at_work_is_told_instead_of_another_called(hands, queue):
	hands.alive("default", "somebody", 8)
	hands.wake("default")
	assert len(queue) == 0
	before = time.monotonic()
	hands.wait("default", 10)
	assert time.monotonic() - before < 5
	hands.gone("default", "somebody")
	hands.wake("default")
	assert len(queue) == 1


def test_who_has_said_nothing_for_long_is_at_work_no_more(hands, queue):
	hands.alive("default", "somebody", 1)
	hands.wake("default")
	assert len(queue) == 0
	until(lambda: hands.wake("default") or len(queue), 10)


def test_a_node_whose_clock_is_wrong_lives_no_longer(hands, queue, monkeypatch):
	monkeypatch.setattr(time, "time", lambda: 4e9)
	hands.alive("default", "somebody", 1)
	until(lambda: hands.wake("default") or len(queue), 10)


def test_spreading_calls_one_more_at_a_time_up_to_the_pools_limit(hands, queue, world):
	world.db.execute("UPDATE `tabDogan Pool` SET max_workers = 2")
	hands.alive("default", "one", 8)
	hands.spread("default")
	hands.spread("default")
	assert len(queue) == 1
	hands.begun("default", queue.job_ids[0])
	hands.alive("default", "two", 8)
	hands.spread("default")
	assert len(queue) == 1


def test_a_reservation_whose_job_is_gone_is_forgotten(hands, queue, monkeypatch):
	hands.wake("default")
	queue.empty()
	hands.wake("default")
	assert len(queue) == 0, "it may only be late"
	monkeypatch.setattr("dogan_agents.host.hands.STALE_SECONDS", -1)
	hands.wake("default")
	assert len(queue) == 1
	hands.wake("default")
	assert len(queue) == 1, "this one is still there"


def test_a_job_whose_worker_died_as_it_took_it_is_forgotten(hands, queue, monkeypatch):
	hands.wake("default")
	job = queue.connection.lpop(queue.key).decode()
	assert queue.fetch_job(job).get_status() == "queued"
	monkeypatch.setattr("dogan_agents.host.hands.STALE_SECONDS", -1)
	hands.wake("default")
	assert len(queue) == 1


def test_a_job_that_never_entered_the_queue_reserves_nothing(hands, queue, monkeypatch):
	enqueue = hands.enqueue

	def fail(pool, job) -> None:
		raise ConnectionError("no queue")

	monkeypatch.setattr(hands, "enqueue", fail)
	hands.wake("default")
	monkeypatch.setattr(hands, "enqueue", enqueue)
	hands.wake("default")
	assert len(queue) == 1


def test_everything_is_forgotten_and_goes_on(hands, queue, world):
	run = world.start(world.define(step("a"), step("b", "a")))
	hands.wake("default")
	world.host.redis.flushall()
	assert world.sweep().woken == {("default", "")}
	work(queue)
	assert world.status(run) == "Completed"


def test_without_redis_nothing_is_raised(hands, lab, world):
	lab.stop_redis()
	hands.wake("default")
	hands.spread("default")
	hands.alive("default", "somebody", 8)
	hands.gone("default", "somebody")
	hands.begun("default", "job")
	hands.wait("default", 0.1)
	assert hands.take("agent:bot", 5, 60) == 1.0
	assert len(world.logged) >= 7
	run = world.run(step("a"))
	assert world.status(run) == "Completed"


def test_an_rq_job_drains_the_pool_and_leaves_no_trace(queue, world):
	runs = world.start_many(world.define(step("a"), step("b", "a")), [None] * 5)
	world.host.hands.wake("default")
	work(queue)
	assert {world.status(run) for run in runs} == {"Completed"}
	assert world.value("SELECT COUNT(*) FROM `tabDogan Worker`") == 0
	assert not Redis.from_url(world.config.redis_url).keys("rq:job:*")
	keys = [key.decode() for key in world.host.redis.keys("rq:dogan:*")]
	assert all(key.startswith(("rq:dogan:lab:wake:", "rq:dogan:lab:cache:")) for key in keys), keys


def test_a_backlog_needs_few_jobs(queue, world):
	world.start_many(world.define(step("a")), [None] * 3000)
	for _ in range(200):
		world.host.hands.wake("default")
		world.host.hands.spread("default")
	assert len(queue) == 1


def test_a_step_in_another_pool_wakes_it(world):
	run = world.run(step("a"), step("b", "a", pool="mail"))
	other = Queue("mail", connection=world.host.redis)
	assert len(other) == 1
	work(other)
	assert world.status(run) == "Completed"


def test_a_token_bucket(hands):
	assert [hands.take("k", 3, 3600) for _ in range(3)] == [0.0, 0.0, 0.0]
	first, second, third = (hands.take("k", 3, 3600) for _ in range(3))
	assert 1100 < first <= 1200
	assert (second, third) == (pytest.approx(first, abs=5), pytest.approx(first, abs=5)), (
		"no later than a minute"
	)
	assert hands.take("other", 3, 3600) == 0.0


def test_tokens_come_back(hands):
	assert [hands.take("k", 20, 1) for _ in range(20)] == [0.0] * 20
	waits = [hands.take("k", 20, 1) for _ in range(5)]
	assert waits == sorted(waits) and 0 < waits[0] <= 0.05 < waits[4]
	until(lambda: hands.take("k", 20, 1) == 0.0, 10)
