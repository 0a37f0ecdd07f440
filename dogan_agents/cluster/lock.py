"""Locks that all nodes of a site share, in Redis.

A lock has an owner, whom nobody else knows, and a time to live that a thread of the owner renews: it ends with its
owner, however that ends. No lock of that kind can keep an owner that was paused for long from going on afterwards;
so each comes with a fence, a number that only grows, by which the thing that is guarded can refuse whoever is late.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from dogan_agents.engine.errors import DoganError, TemporaryError

LONGEST_NAME = 140
SHORTEST_TTL = 0.1  # seconds
RENEWALS = 3  # in the time a lock lives: one may get lost
RETRY_SECONDS = 0.2  # until the next attempt when Redis could not be asked
LISTEN_SECONDS = 1.0  # a waiter looks for itself after this, should its wake-up have got lost

ACQUIRE = """
local left = redis.call('PTTL', KEYS[1])
if left > 0 then return {0, left} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fence = string.format('%.0f', math.max((tonumber(redis.call('GET', KEYS[2])) or 0) + 1, now))
redis.call('SET', KEYS[2], fence)
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fence', fence, 'since', string.format('%.0f', now),
	'node', ARGV[3], 'holder', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[3], string.format('%.0f', now + ARGV[2] * 1000), ARGV[5])
redis.call('DEL', KEYS[4])
return {1, tonumber(fence)}
"""
"""KEYS held, fence, names, wake; ARGV owner, ttl (ms), node, holder, name. {1, fence}, or {0, ms that it is held}.

The fence is one for all locks, and never behind Redis' own clock in µs: it grows even when Redis has lost everything.
"""

RENEW = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', time[1] * 1000000 + time[2] + ARGV[2] * 1000), ARGV[3])
return 1
"""
"""KEYS held, names; ARGV owner, ttl (ms), name. 0 when somebody else holds it, or nobody."""

RELEASE = """
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local held = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('LPUSH', KEYS[3], 1)
redis.call('LTRIM', KEYS[3], 0, 0)
redis.call('EXPIRE', KEYS[3], 5)
return held
"""
"""KEYS held, names, wake; ARGV owner ('' = whoever it is), name. 0 when somebody else holds it, or nobody."""

NAMES = """
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', time[1] * 1000000 + time[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""


class LockError(DoganError):
	"""The lock cannot be had like this."""


class LockBusy(LockError, TemporaryError):
	"""Somebody else holds the lock."""


class LockLost(LockError, TemporaryError):
	"""The lock was not renewed in time, or was taken away: somebody else may hold it by now."""


class LockUnavailable(LockError, TemporaryError):
	"""Redis, which keeps the locks, does not answer."""


@dataclass(frozen=True, slots=True)
class Held:
	"""A lock that is held, as others see it."""

	name: str
	holder: str
	node: str
	since: int  # µs, UTC
	expires: int  # µs, UTC
	fence: int


class Locks:
	"""The locks of one site. `holder` says for whom one is taken, for those who look at the list."""

	def __init__(self, redis: Redis, site: str, node: str, holder: Callable[[], str] = lambda: ""):
		self.redis, self.site, self.node, self.holder = redis, site, node, holder
		self.acquire_script = redis.register_script(ACQUIRE)
		self.renew_script = redis.register_script(RENEW)
		self.release_script = redis.register_script(RELEASE)
		self._names_script = redis.register_script(NAMES)

	def lock(self, name: str, ttl: float = 30, wait: float = 0) -> "Lock":
		return Lock(self, name, ttl, wait)

	def held(self) -> list[Held]:
		"""Those held now, by name."""
		names = sorted(_text(name) for name in self._names_script(keys=[self.key("names")]))
		return [found for name in names if (found := self.find(name))]

	def find(self, name: str) -> Held | None:
		pipe = self.redis.pipeline(transaction=True)
		pipe.hgetall(self.key("held", name))
		pipe.pttl(self.key("held", name))
		pipe.time()
		raw, left, (seconds, micros) = pipe.execute()
		if not raw:
			return None
		found = {_text(field): _text(value) for field, value in raw.items()}
		expires = seconds * 1_000_000 + micros + max(left, 0) * 1000
		return Held(name, found["holder"], found["node"], int(found["since"]), expires, int(found["fence"]))

	def force(self, name: str) -> Held | None:
		"""Take a lock from whoever holds it; who that was. Only the fence keeps him from going on with his work."""
		was = self.find(name)
		keys = [self.key("held", name), self.key("names"), self.key("wake", name)]
		return was if self.release_script(keys=keys, args=["", name]) else None

	def key(self, kind: str, name: str = "") -> str:
		return f"rq:dogan:{self.site}:lock:{kind}" + (f":{name}" if name else "")


class Lock:
	"""One holding of a lock: `with locks.lock("name") as lock`. Not reentrant.

	Leaving the block of a lock that was lost meanwhile raises LockLost, so that what was done inside is not taken
	for done alone.
	"""

	def __init__(self, locks: Locks, name: str, ttl: float, wait: float):
		if not name or len(name) > LONGEST_NAME:
			raise LockError(f"A lock's name has 1 to {LONGEST_NAME} characters.")
		if ttl < SHORTEST_TTL:
			raise LockError(f"A lock lives for at least {SHORTEST_TTL} seconds.")
		self.name, self.ttl, self.wait = name, ttl, wait
		self.token = 0
		"""The fence: greater than that of everybody who has ever held a lock of this site before."""
		self._locks, self._owner = locks, secrets.token_hex(16)
		self._deadline = 0.0
		self._taken = False
		self._over = threading.Event()
		self._keys = [locks.key("held", name), locks.key("names"), locks.key("wake", name)]

	def __enter__(self) -> "Lock":
		self.acquire()
		return self

	def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
		if self._over.is_set():
			return  # given back early
		still = self.release()
		if not still and error is None:
			raise LockLost(f"The lock {self.name} was lost while it was needed.")

	@property
	def lost(self) -> bool:
		"""Whether somebody else may hold the lock. True by this machine's clock alone when Redis cannot be asked."""
		return self._taken or time.monotonic() >= self._deadline

	def check(self) -> None:
		"""LockLost when it is lost: call it before what must not happen twice."""
		if self.lost:
			raise LockLost(f"The lock {self.name} was lost.")

	def acquire(self) -> None:
		"""LockBusy when it is still held by somebody else after `wait` seconds."""
		if self.token and not self._over.is_set():
			raise LockError(f"The lock {self.name} is held already, by this very object.")
		try:
			self._acquire(time.monotonic() + self.wait)
		except RedisError as error:
			raise LockUnavailable(f"The lock {self.name} cannot be had without Redis: {error}") from error
		self._over = threading.Event()
		threading.Thread(target=self._keep, args=(self._over,), name=f"lock {self.name}", daemon=True).start()

	def renew(self) -> None:
		"""Let it live for another `ttl` seconds from now; LockLost when it is somebody else's, or nobody's."""
		try:
			if not self.lost:
				self._renew()
		except RedisError as error:
			raise LockUnavailable(f"The lock {self.name} cannot be renewed: {error}") from error
		self.check()

	def release(self) -> bool:
		"""Give it back if it is still ours, and say whether it was."""
		self._over.set()
		try:
			return bool(self._locks.release_script(keys=self._keys, args=[self._owner, self.name]))
		except RedisError:
			return not self.lost  # it ends by itself, and until then nobody else can have it
		finally:
			self._taken = True

	def _acquire(self, until: float) -> None:
		while True:
			asked = time.monotonic()
			got, answer = self._ask()
			if got:
				self.token, self._deadline, self._taken = answer, asked + self.ttl, False
				return
			left = until - time.monotonic()
			if left <= 0:
				raise LockBusy(f"The lock {self.name} is held by somebody else.")
			self._listen(min(left, answer / 1000 + 0.001))

	def _ask(self) -> tuple[bool, int]:
		got, answer = self._locks.acquire_script(
			keys=[self._keys[0], self._locks.key("fence"), *self._keys[1:]],
			args=[
				self._owner,
				int(self.ttl * 1000),
				self._locks.node,
				f"{self._locks.holder()} (pid {os.getpid()})".strip(),
				self.name,
			],
		)
		return bool(got), int(answer)

	def _listen(self, seconds: float) -> None:
		"""Until it is released, runs out, or it is time to look."""
		self._locks.redis.blpop([self._keys[2]], timeout=max(0.01, min(seconds, LISTEN_SECONDS)))

	def _keep(self, over: threading.Event) -> None:
		pause = self.ttl / RENEWALS
		while not over.wait(pause) and not self.lost:
			pause = self.ttl / RENEWALS
			try:
				self._renew()
			except RedisError:
				pause = min(RETRY_SECONDS, pause)

	def _renew(self) -> None:
		asked = time.monotonic()
		mine = self._locks.renew_script(
			keys=self._keys[:2], args=[self._owner, int(self.ttl * 1000), self.name]
		)
		if mine:
			self._deadline = asked + self.ttl
		else:
			self._taken = True


def _text(value: bytes | str) -> str:
	return value.decode() if isinstance(value, bytes) else value
