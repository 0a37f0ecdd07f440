"""The cache over a real Redis, with other processes in the person of other Cache objects."""

import os
import signal
import time

import pytest
from redis import Redis

from dogan_agents.cluster.cache import Cache, Stats
from dogan_agents.cluster.cached import keep_answers
from dogan_agents.engine.errors import PayloadError
from tests.engine.world import until


class Source:
	"""Something that changes, and counts who reads it."""

	def __init__(self, value: object = 1):
		self.value, self.reads = value, 0

	def __call__(self) -> object:
		self.reads += 1
		return self.value


@pytest.fixture
def redis(lab):
	with Redis.from_url(lab.config.redis_url, socket_timeout=1) as redis:
		yield redis


@pytest.fixture
def node(redis):
	def make(grace: float = 0, ttl: float = 60, site: str = "lab") -> Cache:
		return Cache(redis, site, lambda: ttl, grace=grace)

	return make


def counts(cache: Cache) -> tuple[int, int, int]:
	(stats,) = cache.stats()
	return stats.memory, stats.redis, stats.missed


def test_it_is_read_once(node):
	one, two, source = node(), node(), Source({"a": [1]})
	answers = [cache.get("g", "k", source) for cache in (one, one, two, two)]
	assert answers == [{"a": [1]}] * 4
	assert source.reads == 1
	assert counts(one) == (2, 1, 1)
	assert one.stats()[0].rate == 0.75


def test_nothing_was_read_yet(node):
	assert node().stats() == []
	assert Stats("g").rate == 0.0


def test_each_reader_has_his_own(node):
	one, source = node(), Source([1])
	one.get("g", "k", source).append(2)
	assert one.get("g", "k", source) == [1]


@pytest.mark.parametrize("how", ["forget", "clear"])
def test_what_has_changed_is_gone_everywhere_at_once(node, how):
	one, two, source = node(), node(), Source()
	assert [cache.get("g", "k", source) for cache in (one, two)] == [1, 1]
	source.value = 2
	one.forget("g", "k") if how == "forget" else one.clear("g")
	assert [cache.get("g", "k", source) for cache in (two, one)] == [2, 2]
	assert source.reads == 2


def test_others_stay(node):
	one, source = node(), Source()
	for group, key in (("g", "a"), ("g", "b"), ("h", "a")):
		one.get(group, key, source)
	one.forget("g", "a")
	one.get("g", "b", source)
	assert source.reads == 3
	one.clear("g")
	one.get("h", "a", source)
	assert source.reads == 3
	one.get("g", "b", source)
	assert source.reads == 4


def test_another_site_has_its_own(node):
	source = Source()
	node().get("g", "k", source)
	node(site="other").get("g", "k", source)
	assert source.reads == 2


@pytest.mark.parametrize("how", ["forget", "clear"])
def test_who_read_before_the_change_puts_nothing_in(node, how):
	one, two = node(), node()

	def slow() -> int:
		two.forget("g", "k") if how == "forget" else two.clear("g")
		return 1

	assert one.get("g", "k", slow) == 1
	assert two.get("g", "k", Source(2)) == 2
	assert one.get("g", "k", Source(3)) == 2


def test_two_that_read_at_once(node):
	one, two, source = node(), node(), Source()
	assert one.get("g", "k", lambda: two.get("g", "k", source)) == 1
	assert one.get("g", "k", source) == two.get("g", "k", source) == 1
	assert source.reads == 1


@pytest.mark.parametrize("how", ["forget", "clear"])
def test_for_a_while_after_a_change_everybody_reads_for_himself(node, how):
	one, source = node(grace=0.5), Source()
	one.get("g", "k", source)
	one.forget("g", "k") if how == "forget" else one.clear("g")
	for _ in range(3):
		one.get("g", "k", source)
	assert source.reads == 4
	time.sleep(0.6)
	for _ in range(3):
		one.get("g", "k", source)
	assert source.reads == 5


def test_the_first_reading_of_all_is_kept(node):
	one, source = node(grace=10), Source()
	one.get("g", "k", source)
	one.get("g", "k", source)
	assert source.reads == 1


def test_nothing_is_kept_for_longer_than_asked(node):
	one, two, source = node(), node(), Source()
	one.get("g", "k", source, ttl=0.3)
	two.get("g", "k", source, ttl=0.3)
	assert source.reads == 1
	time.sleep(0.4)
	two.get("g", "k", source)
	one.get("g", "k", source)
	assert source.reads == 2


def test_no_time_is_not_at_all(node):
	one, source = node(ttl=0), Source((1,))
	assert [one.get("g", "k", source) for _ in range(2)] == [[1], [1]]
	assert source.reads == 2


def test_without_redis_everything_is_read_anew(lab, node):
	one, source = node(), Source((1,))
	one.get("g", "k", source)
	lab.stop_redis()
	assert one.get("g", "k", source) == [1]
	assert one.get("g", "k", source) == [1]
	one.forget("g", "k")
	one.clear("g")
	lab.start_redis()
	one._silent_until = 0.0
	until(lambda: one.get("g", "k", source) and one.stats(), 5)
	assert source.reads >= 4


def test_a_redis_that_hangs_is_left_alone_for_a_while(lab, node):
	one, source = node(), Source()
	one.get("g", "k", source)
	process = lab.redis.process
	os.kill(process.pid, signal.SIGSTOP)
	try:
		before = time.monotonic()
		for _ in range(100):
			one.get("g", "k", source)
		assert time.monotonic() - before < 3
	finally:
		os.kill(process.pid, signal.SIGCONT)


def test_a_wiped_redis_brings_nothing_back(node, redis):
	one, two, source = node(), node(), Source()
	one.get("g", "k", source)
	redis.flushall()
	source.value = 2
	assert two.get("g", "k", source) == one.get("g", "k", source) == 2


def test_an_epoch_that_redis_threw_out_brings_nothing_back(node, redis):
	one, source = node(), Source()
	one.get("g", "k", source)
	redis.delete(one._epoch("g"))
	source.value = 2
	assert one.get("g", "k", source) == 2


def test_what_is_too_large_is_read_each_time(node):
	one, source = node(), Source("x" * 1_000_001)
	assert len(one.get("g", "k", source)) == 1_000_001
	one.get("g", "k", source)
	assert source.reads == 2


def test_what_is_large_is_fetched_each_time(node):
	one, source = node(), Source("x" * 200_000)
	for _ in range(3):
		one.get("g", "k", source)
	assert source.reads == 1
	assert counts(one) == (0, 2, 1)


def test_what_is_no_json_is_refused(node):
	with pytest.raises(PayloadError, match="What g says, to be cached, is not JSON"):
		node().get("g", "k", lambda: object())


def test_an_error_is_not_kept(node):
	one = node()
	with pytest.raises(ZeroDivisionError):
		one.get("g", "k", lambda: 1 // 0)
	assert one.get("g", "k", Source(2)) == 2


class TestFunctions:
	@pytest.fixture
	def asked(self) -> list:
		return []

	@pytest.fixture
	def function(self, node, asked):
		cache = node()

		@keep_answers(lambda: cache, 60)
		def price(item: str, quantity: int = 1, *, currency: str = "EUR") -> str:
			"""What it costs."""
			asked.append((item, quantity, currency))
			return f"{item} {quantity} {currency}"

		return price

	def test_the_arguments_are_the_key(self, function, asked):
		assert function("a") == function("a", 1) == function(item="a", currency="EUR") == "a 1 EUR"
		assert function("a", 2) == "a 2 EUR"
		assert function("b", currency="TRY") == "b 1 TRY"
		assert asked == [("a", 1, "EUR"), ("a", 2, "EUR"), ("b", 1, "TRY")]
		assert (function.__name__, function.__doc__) == ("price", "What it costs.")

	def test_one_answer_is_forgotten(self, function, asked):
		for _ in range(2):
			function("a")
			function("b")
			function.invalidate("a", 1)
		assert [item for item, *_ in asked] == ["a", "b", "a"]

	def test_all_are_forgotten(self, function, asked):
		for _ in range(2):
			function("a")
			function("b")
			function.clear()
		assert len(asked) == 4

	def test_named_arguments_in_any_order(self, node):
		cache, source = node(), Source()

		@keep_answers(lambda: cache, 60)
		def search(**filters: str) -> object:
			return source()

		search(a="1", b="2")
		search(b="2", a="1")
		assert source.reads == 1

	def test_an_argument_that_is_no_key(self, function):
		with pytest.raises(PayloadError, match=r"An argument of .*price is not JSON"):
			function(object())
