"""Locks over a real Redis."""

import subprocess
import sys
import threading
import time

import pytest
from redis import Redis
from redis.exceptions import ConnectionError

from dogan_agents.cluster.lock import LockBusy, LockError, LockLost, Locks, LockUnavailable
from dogan_agents.engine.classify import classify
from dogan_agents.engine.ports import ErrorKind
from tests.engine.world import until

OTHER = """
import sys, time
from redis import Redis
from dogan_agents.cluster.lock import Locks
locks = Locks(Redis.from_url(sys.argv[1]), "lab", "other")
"""


@pytest.fixture
def redis(lab):
	with Redis.from_url(lab.config.redis_url, socket_timeout=10) as redis:
		yield redis


@pytest.fixture
def locks(redis) -> Locks:
	return Locks(redis, "lab", "test", lambda: "ada@example.com")


def other(lab, code: str) -> subprocess.Popen:
	"""Another process that has `locks`."""
	return subprocess.Popen(
		[sys.executable, "-c", OTHER + code, lab.config.redis_url], stdout=subprocess.PIPE, text=True
	)


def fence_now(locks: Locks, name: str = "any") -> int:
	with locks.lock(name) as lock:
		return lock.token


def test_one_has_it_and_the_others_do_not(locks):
	with locks.lock("a"), pytest.raises(LockBusy), locks.lock("a"):
		pass
	with locks.lock("a"), locks.lock("b"):
		pass


def test_another_sites_lock_is_another(locks, redis):
	with locks.lock("a"), Locks(redis, "other", "test").lock("a"):
		pass


def test_a_process_waits_until_another_gives_it_back(lab, locks):
	with other(lab, "with locks.lock('a'): print('mine', flush=True); time.sleep(0.3)") as process:
		assert process.stdout.readline() == "mine\n"
		with pytest.raises(LockBusy), locks.lock("a"):
			pass
		before = time.monotonic()
		with locks.lock("a", wait=10):
			assert time.monotonic() - before < 2


def test_who_waits_in_vain_gives_up_in_time(locks):
	before = time.monotonic()
	with locks.lock("a"), pytest.raises(LockBusy), locks.lock("a", wait=0.3):
		pass
	assert 0.3 <= time.monotonic() - before < 1


def test_who_waits_is_woken_and_asks_seldom(locks, redis):
	with locks.lock("a") as lock:
		waiting = locks.lock("a", wait=10)
		thread = threading.Thread(target=waiting.acquire)
		thread.start()
		time.sleep(0.5)
		before = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
		time.sleep(0.4)
		assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] - before <= 1
		released = time.monotonic()
		lock.release()
	thread.join()
	assert time.monotonic() - released < 0.5
	assert waiting.release()


def test_many_processes_are_never_in_at_once(lab, locks, redis):
	code = """
for _ in range(20):
	with locks.lock("a", ttl=5, wait=30) as lock:
		assert locks.redis.incr("inside") == 1
		locks.redis.rpush("fences", lock.token)
		locks.redis.decr("inside")
"""
	processes = [other(lab, code) for _ in range(4)]
	for process in processes:
		process.communicate(timeout=60)
		assert process.returncode == 0
	fences = [int(fence) for fence in redis.lrange("fences", 0, -1)]
	assert len(fences) == 80 and fences == sorted(set(fences))


def test_it_ends_with_its_process(lab, locks):
	with other(lab, "locks.lock('a', ttl=1).acquire(); print('mine', flush=True); time.sleep(60)") as process:
		process.stdout.readline()
		process.kill()
	with pytest.raises(LockBusy):
		locks.lock("a").acquire()
	before = time.monotonic()
	with locks.lock("a", wait=10):
		assert time.monotonic() - before < 1.5


def test_it_lives_as_long_as_it_is_needed(locks):
	with locks.lock("a", ttl=0.3) as lock:
		time.sleep(1)
		assert not lock.lost
		lock.check()
		with pytest.raises(LockBusy):
			locks.lock("a").acquire()


def test_it_is_renewed_by_hand(locks, redis):
	with locks.lock("a", ttl=30) as lock:
		redis.pexpire(locks.key("held", "a"), 5000)
		lock.renew()
		assert redis.pttl(locks.key("held", "a")) > 25_000


def test_the_fence_only_grows(locks):
	fences = [fence_now(locks, name) for name in "abab"]
	assert fences == sorted(set(fences))


def test_the_fence_grows_though_redis_has_lost_everything(locks, redis):
	before = fence_now(locks)
	redis.flushall()
	assert fence_now(locks) > before


def test_the_fence_grows_though_redis_was_restarted(lab, locks):
	before = fence_now(locks)
	lab.restart_redis()
	assert fence_now(locks) > before


def test_the_fence_grows_though_redis_clock_goes_back(locks, redis):
	ahead = int((time.time() + 3600) * 1e6)
	redis.set(locks.key("fence"), ahead)
	assert fence_now(locks) == ahead + 1


def test_who_has_it_no_more_gives_back_nothing(locks, redis):
	late = locks.lock("a", ttl=30)
	late.acquire()
	redis.delete(locks.key("held", "a"))
	with locks.lock("a") as lock:
		assert lock.token > late.token
		assert not late.release()
		with pytest.raises(LockBusy):
			locks.lock("a").acquire()


@pytest.mark.parametrize("how", ["flushed", "taken"])
def test_a_lost_lock_is_noticed(locks, redis, how):
	with pytest.raises(LockLost, match="while it was needed"), locks.lock("a", ttl=0.3) as lock:
		redis.flushall() if how == "flushed" else locks.force("a")
		until(lambda: lock.lost, 5)
		with pytest.raises(LockLost):
			lock.check()
		with pytest.raises(LockLost):
			lock.renew()


def test_an_error_inside_comes_before_the_loss(locks, redis):
	with pytest.raises(ZeroDivisionError), locks.lock("a"):
		redis.flushall()
		raise ZeroDivisionError


def test_a_lock_is_lost_by_the_clock_when_redis_is_gone(lab, locks):
	with pytest.raises(LockLost), locks.lock("a", ttl=0.5) as lock:
		lab.stop_redis()
		assert not lock.lost
		with pytest.raises(LockUnavailable):
			lock.renew()
		until(lambda: lock.lost, 5)


def test_a_short_outage_of_redis_keeps_a_lock_that_redis_kept(locks, monkeypatch):
	lock = locks.lock("a", ttl=1.5)
	lock.acquire()
	renew, fails = locks.renew_script, iter([True, False])

	def flaky(**given):
		if next(fails, False):
			raise ConnectionError
		return renew(**given)

	monkeypatch.setattr(locks, "renew_script", flaky)
	time.sleep(2)
	assert lock.release()


def test_without_redis_there_is_no_lock(lab, locks):
	lab.stop_redis()
	with pytest.raises(LockUnavailable) as failure:
		locks.lock("a").acquire()
	assert classify(failure.value) is ErrorKind.TEMPORARY


def test_the_list(locks):
	assert locks.held() == []
	with locks.lock("b"), locks.lock("a", ttl=20) as lock:
		first, second = locks.held()
		assert (first.name, second.name) == ("a", "b")
		assert first.holder.startswith("ada@example.com (pid ") and first.node == "test"
		assert first.fence == lock.token
		assert 15e6 < first.expires - first.since <= 21e6
		assert abs(first.since / 1e6 - time.time()) < 5
	assert locks.held() == []


def test_what_ran_out_is_not_listed(locks, redis):
	lock = locks.lock("a", ttl=0.1)
	lock.acquire()
	lock._over.set()
	until(lambda: locks.held() == [], 5)
	assert redis.zcard(locks.key("names")) == 0


def test_taking_it_by_force_wakes_who_waits(locks):
	lock, waiting = locks.lock("a"), locks.lock("a", wait=10)
	lock.acquire()
	thread = threading.Thread(target=waiting.acquire)
	thread.start()
	time.sleep(0.1)
	assert locks.force("a").fence == lock.token
	thread.join(2)
	assert waiting.token > lock.token
	assert not lock.release() and waiting.release()
	assert locks.force("a") is None


def test_its_keys_are_where_rq_s_user_may_write(locks, redis):
	with locks.lock("a"):
		assert all(key.startswith(b"rq:dogan:lab:lock:") for key in redis.keys())


def test_what_cannot_be_a_lock(locks):
	for name, ttl in (("", 30), ("x" * 141, 30), ("a", 0)):
		with pytest.raises(LockError):
			locks.lock(name, ttl)
	with locks.lock("a") as lock, pytest.raises(LockError, match="already"):
		lock.acquire()
