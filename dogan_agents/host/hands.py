"""Wake-ups over Redis and RQ. All of it may be lost at any time: the sweep wakes again."""

import math
import re
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus

from dogan_agents.engine.healing import Kind, Watch, What
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import PoolSpec

MOST_DRAINS = 50  # RQ jobs of a pool at once, however long the backlog
RESERVED, STALE = 1, -1
QUEUED, BEGUN, LOST = "queued", "begun", "lost"  # what a reservation's RQ job is
STALE_SECONDS = 5.0  # a queued drain that is older is looked at: is its job still there?

CALL = """
local now = tonumber(redis.call('TIME')[1])
if ARGV[3] == 'first' then
	redis.call('LPUSH', KEYS[3], 1)
	redis.call('LTRIM', KEYS[3], 0, 7)
	redis.call('EXPIRE', KEYS[3], 5)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local live = redis.call('ZCARD', KEYS[1])
if live >= tonumber(ARGV[2]) or (ARGV[3] == 'first' and live > 0) then return 0 end
local queued = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if queued[2] then return tonumber(queued[2]) < now - tonumber(ARGV[4]) and -1 or 0 end
redis.call('ZADD', KEYS[2], now, ARGV[1])
return 1
"""
"""Nudge a drain that waits for work, and reserve a place for one more where there should be one.

KEYS live, queued, wake; ARGV job, most, 'first' or 'more', seconds. 1: reserved; 0: no need; -1: no place, but the
one that is queued is old enough to be looked at.
"""

ALIVE = """
redis.call('ZADD', KEYS[1], redis.call('TIME')[1] + ARGV[2], ARGV[1])
"""
"""Put a drain among those at work: KEYS live; ARGV worker, seconds. By Redis' clock: those of nodes may differ."""

TAKE = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local limit, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'turn')
local tokens = math.min(limit, (tonumber(bucket[1]) or limit) + (now - (tonumber(bucket[2]) or now)) * limit / period)
local turn = tonumber(bucket[3]) or 0
local wait = 0
if tokens >= 1 then
	tokens = tokens - 1
else
	local first = now + (1 - tokens) * period / limit
	if turn < first or turn > first + 60 then turn = first end
	wait = turn - now
	turn = turn + period / limit
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens))
redis.call('HSET', KEYS[1], 'at', string.format('%.6f', now), 'turn', string.format('%.6f', turn))
redis.call('EXPIRE', KEYS[1], math.ceil(period) + 120)
return string.format('%.6f', wait)
"""
"""A token bucket by Redis' own clock: KEYS bucket; ARGV limit, period (s). Seconds until it is worth asking again.

Those who are refused are told to come back one after the other, up to a minute later, and not all for one token.
"""


def node_queue(node: str) -> str:
	"""The RQ queue that only the workers of a node process serve, for work that waits for that node."""
	return "dogan_node_" + re.sub(r"[^A-Za-z0-9_.-]", "_", node)


class RedisHands:
	"""`enqueue(pool, job_id, node)` puts one drain into the RQ queue of the pool, or of the node when one is named.

	`pool` tells a pool's settings; `node` is where this process is.
	"""

	def __init__(
		self,
		redis: Redis,
		site: str,
		enqueue: Callable[[PoolSpec, str, str], None],
		pool: Callable[[str], PoolSpec],
		log: Callable[[str], None],
		rq_id: Callable[[str], str] = str,
		node: str = "",
		healed: Callable[..., None] = lambda *args, **kwargs: None,
	):
		self.redis, self.site, self.enqueue, self.pool, self.log = redis, site, enqueue, pool, log
		self.node, self.healed = node, healed
		self.rq_id = rq_id  # the id RQ knows a drain's job by
		self._call_script = redis.register_script(CALL)
		self._alive_script = redis.register_script(ALIVE)
		self._take = redis.register_script(TAKE)

	def wake(self, pool: str, node: str = "") -> bool:
		return bool(self._guard(self._call, pool, "first", node))

	def spread(self, pool: str) -> None:
		self._guard(self._call, pool, "more")

	def wait(self, pool: str, seconds: float) -> None:
		try:
			self.redis.blpop([self._key("wake", pool), self._key("wake", pool, self.node)], timeout=seconds)
		except Exception as error:
			self.log(f"waiting for pool {pool}: {error}")
			time.sleep(min(seconds, 0.2))

	def alive(self, pool: str, worker: str, seconds: float) -> None:
		self._guard(self._alive, pool, worker, seconds)

	def gone(self, pool: str, worker: str, node: str = "") -> None:
		for place in ("", node or self.node):
			self._guard(self.redis.zrem, self._key("live", pool, place), worker)

	def begun(self, pool: str, job: str) -> None:
		"""The drain's RQ job has begun: it is queued no more."""
		for place in ("", self.node):
			self._guard(self.redis.zrem, self._key("queued", pool, place), job)

	def take(self, key: str, limit: int, period: float) -> float:
		"""Without Redis there is no token: the step is tried again in a second, and nothing floods the outside."""
		try:
			return float(self._take(keys=[self._key("rate", key)], args=[limit, period]))
		except Exception as error:
			self.log(f"rate limit {key}: {error}")
			return 1.0

	def mark(self) -> str | None:
		found = self.redis.get(self._key("mark", "site"))
		return found.decode() if isinstance(found, bytes) else found

	def leave_mark(self) -> str:
		self.redis.set(self._key("mark", "site"), new_id(), nx=True)
		return self.mark() or ""

	def _call(self, pool: str, how: str, node: str = "") -> bool:
		"""True when a drain was called."""
		spec = self.pool(pool)
		if not spec.enabled:
			return False
		answer = self._reserve(spec, how, node)
		if answer == STALE and self._forget_lost(spec, node):
			answer = self._reserve(spec, how, node)
		return answer == RESERVED

	def _reserve(self, spec: PoolSpec, how: str, node: str) -> int:
		"""Enqueue a drain when there is a place for it; what the script answered."""
		job = f"dogan-{spec.name}-{new_id()}"
		keys = [self._key(kind, spec.name, node) for kind in ("live", "queued", "wake")]
		most = min(spec.max_workers or MOST_DRAINS, MOST_DRAINS)
		answer = int(self._call_script(keys=keys, args=[job, most, how, STALE_SECONDS]))
		if answer == RESERVED:
			try:
				self.enqueue(spec, job, node)
			except BaseException:
				self.redis.zrem(keys[1], job)
				raise
		return answer

	def _forget_lost(self, spec: PoolSpec, node: str) -> bool:
		"""A reservation whose RQ job is gone, or was never begun, must not keep others from being called."""
		key = self._key("queued", spec.name, node)
		jobs = {job: self._state(job) for job in self.redis.zrange(key, 0, -1)}
		gone = [job for job, state in jobs.items() if state != QUEUED]
		forgotten = bool(gone and self.redis.zrem(key, *gone))
		lost = sum(state == LOST for state in jobs.values())
		if forgotten and lost:
			self.healed(
				Kind.RESERVATION_LOST,
				spec.name,
				f"{lost} drains of the pool {spec.name} were queued, and their RQ jobs are gone.",
				"They are not waited for any more.",
				watch=Watch(What.POOL, (spec.name,)),
			)
		return forgotten

	def _state(self, job: bytes | str) -> str:
		"""By the queue itself: a worker that died as it took the job leaves it with the status of a queued one."""
		name = job.decode() if isinstance(job, bytes) else job
		try:
			found = Job.fetch(self.rq_id(name), self.redis)
		except NoSuchJobError:
			return LOST
		if Queue(found.origin, connection=self.redis).get_job_position(found.id) is not None:
			return QUEUED
		return BEGUN if found.get_status() == JobStatus.STARTED else LOST

	def _alive(self, pool: str, worker: str, seconds: float) -> None:
		for place in ("", self.node):
			self._alive_script(keys=[self._key("live", pool, place)], args=[worker, math.ceil(seconds)])

	def _key(self, kind: str, name: str, node: str = "") -> str:
		return f"rq:dogan:{self.site}:{kind}:{name}" + (f"@{node}" if node else "")

	def _guard(self, call: Callable[..., Any], *args: Any) -> Any:
		try:
			return call(*args)
		except Exception as error:
			self.log(f"Redis: {error}")
			return None
