"""A cache that all nodes of a site share: in Redis, and a copy in each process.

What is changed is gone for every node at once, because nobody believes his own copy: each reading asks Redis, in
one round trip, whether it is still the copy that counts, and only then spares the transfer. Messages (pub/sub, or
Redis' client tracking) would spare the question, too; but they want a connection that listens, and a bench forks
its workers for every job: the listening thread does not come along, and what was said meanwhile is lost. A question
has neither trouble.

Nobody can put in what was already old. Whoever misses gets a ticket before he reads, and what he brings is taken
only with that ticket; an invalidation tears it up. A transaction may go on reading what was true when it began, so
for GRACE seconds after an invalidation no tickets are given, and everybody reads for himself.
"""

import hashlib
import json
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from dogan_agents.engine import payload

GRACE = 10.0  # seconds; older transactions than this seldom read anything for the first time
TICKET_SECONDS = 60  # how long reading may take
COPIES = 2000  # of a process
LARGEST = 1_000_000  # characters; what is larger is read each time
LARGEST_COPY = 100_000  # characters; what is larger is fetched each time
LOOK_AGAIN = 5.0  # seconds after which a Redis that did not answer is asked again
STATS_DAYS = 2

SEEN, FOUND, MISSED, BARRED = 0, 1, 2, 3
OUTCOMES = ("memory", "redis", "missed", "missed")

READ = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local epoch = redis.call('GET', KEYS[2])
if not epoch then
	epoch = string.format('%.0f', now - ARGV[3] * 1000)
	redis.call('SET', KEYS[2], epoch)
end
redis.call('EXPIRE', KEYS[2], 604800)
local entry = redis.call('HMGET', KEYS[1], 'epoch', 'ticket', 'value', 'barred')
local answer
if entry[4] or now - epoch < ARGV[3] * 1000 then
	answer = {3}
elseif entry[1] ~= epoch then
	redis.call('DEL', KEYS[1])
	redis.call('HSET', KEYS[1], 'epoch', epoch, 'ticket', ARGV[2])
	redis.call('EXPIRE', KEYS[1], ARGV[4])
	answer = {2, ARGV[2]}
elseif not entry[3] then
	answer = {2, entry[2]}
elseif entry[2] == ARGV[1] then
	answer = {0}
else
	answer = {1, entry[2], entry[3], redis.call('PTTL', KEYS[1])}
end
redis.call('HINCRBY', KEYS[3], ARGV[5] .. ':' .. ARGV[5 + 1 + answer[1]], 1)
redis.call('EXPIRE', KEYS[3], 172800)
return answer
"""
"""KEYS entry, epoch of the group, stats; ARGV ticket of the copy, a new ticket, grace (ms), ticket's seconds, group,
and what each answer counts as. {seen}, {found, ticket, value, ms}, {missed, ticket} or {barred}.

All that share a ticket have begun to read after it was given.
"""

PUT = """
local entry = redis.call('HMGET', KEYS[1], 'ticket', 'epoch')
if entry[1] ~= ARGV[1] or entry[2] ~= redis.call('GET', KEYS[2]) then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""KEYS entry, epoch; ARGV ticket, value, ttl (ms)."""

FORGET = """
redis.call('DEL', KEYS[1])
if tonumber(ARGV[1]) > 0 then
	redis.call('HSET', KEYS[1], 'barred', 1)
	redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
"""

CLEAR = """
local time = redis.call('TIME')
local epoch = math.max((tonumber(redis.call('GET', KEYS[1])) or 0) + 1, time[1] * 1000000 + time[2])
redis.call('SET', KEYS[1], string.format('%.0f', epoch), 'EX', 604800)
"""
"""An epoch never comes again, not even after Redis has lost it."""


@dataclass(frozen=True, slots=True)
class Copy:
	ticket: str
	until: float  # of the monotonic clock
	text: str


@dataclass(frozen=True, slots=True)
class Stats:
	"""Since yesterday began (UTC)."""

	group: str
	memory: int = 0  # answered by the process' own copy
	redis: int = 0
	missed: int = 0

	@property
	def reads(self) -> int:
		return self.memory + self.redis + self.missed

	@property
	def rate(self) -> float:
		"""The share of readings that needed nobody else."""
		return (self.memory + self.redis) / self.reads if self.reads else 0.0


class Cache:
	"""The cache of one site. Values are what JSON makes of them, and each reader has his own.

	Without Redis everything is read anew. `redis` is best one that does not wait for long.
	"""

	def __init__(
		self,
		redis: Redis,
		site: str,
		ttl: Callable[[], float],
		log: Callable[[str], None] = lambda message: None,
		grace: float = GRACE,
	):
		self.redis, self.site, self.ttl, self.log, self.grace = redis, site, ttl, log, grace
		self._copies: OrderedDict[str, Copy] = OrderedDict()
		self._lock = threading.Lock()
		self._silent_until = 0.0
		self._read = redis.register_script(READ)
		self._put = redis.register_script(PUT)
		self._forget = redis.register_script(FORGET)
		self._clear = redis.register_script(CLEAR)

	def get(self, group: str, key: str, read: Callable[[], Any], ttl: float | None = None) -> Any:
		"""What is kept under the key, or else what `read()` says; kept for `ttl` seconds (0 = not at all)."""
		seconds = self.ttl() if ttl is None else ttl
		if seconds <= 0 or time.monotonic() < self._silent_until:
			return plain(group, read())
		entry = self._entry(group, key)
		try:
			answer, copy = self._ask(group, entry)
		except RedisError as error:
			self._failed(error)
			return plain(group, read())
		if answer[0] == SEEN and copy:
			return json.loads(copy.text)
		if answer[0] == FOUND:
			text = answer[2].decode()
			self._remember(entry, Copy(answer[1].decode(), time.monotonic() + answer[3] / 1000, text))
			return json.loads(text)
		if answer[0] == MISSED:
			return self._keep(group, entry, answer[1].decode(), read(), seconds)
		return plain(group, read())

	def forget(self, group: str, key: str) -> None:
		"""The value has changed: nobody is told the old one any more. To be called after the commit."""
		self._tell(self._forget, [self._entry(group, key)], [int(self.grace * 1000)])

	def clear(self, group: str) -> None:
		"""All of the group has changed."""
		self._tell(self._clear, [self._epoch(group)], [])

	def stats(self) -> list[Stats]:
		"""By group, those most read first."""
		counts: dict[str, dict[str, int]] = {}
		for day in _days():
			for field, count in self.redis.hgetall(self._key("stats", day)).items():
				group, _, outcome = field.decode().rpartition(":")
				of_group = counts.setdefault(group, {})
				of_group[outcome] = of_group.get(outcome, 0) + int(count)
		found = [Stats(group, **of_group) for group, of_group in counts.items()]
		return sorted(found, key=lambda stats: -stats.reads)

	def _ask(self, group: str, entry: str) -> tuple[list[Any], Copy | None]:
		copy = self._copies.get(entry)
		if copy and time.monotonic() > copy.until:
			copy = None
		answer = self._read(
			keys=[entry, self._epoch(group), self._key("stats", next(iter(_days())))],
			args=[
				copy.ticket if copy else "",
				secrets.token_hex(8),
				int(self.grace * 1000),
				TICKET_SECONDS,
				group,
				*OUTCOMES,
			],
		)
		return answer, copy

	def _keep(self, group: str, entry: str, ticket: str, value: Any, seconds: float) -> Any:
		text = encode(group, value)
		if len(text) > LARGEST:
			return json.loads(text)
		try:
			if self._put(keys=[entry, self._epoch(group)], args=[ticket, text, int(seconds * 1000)]):
				self._remember(entry, Copy(ticket, time.monotonic() + seconds, text))
		except RedisError as error:
			self._failed(error)
		return json.loads(text)

	def _remember(self, entry: str, copy: Copy) -> None:
		if len(copy.text) > LARGEST_COPY:
			return
		with self._lock:
			self._copies[entry] = copy
			self._copies.move_to_end(entry)
			if len(self._copies) > COPIES:
				self._copies.popitem(last=False)

	def _tell(self, script: Any, keys: list[str], args: list[Any]) -> None:
		try:
			script(keys=keys, args=args)
		except RedisError as error:
			self._failed(error)

	def _failed(self, error: RedisError) -> None:
		self._silent_until = time.monotonic() + LOOK_AGAIN
		self.log(f"cache: {error}")

	def _entry(self, group: str, key: str) -> str:
		return self._key("entry", f"{group}:{hashlib.sha256(key.encode()).hexdigest()[:40]}")

	def _epoch(self, group: str) -> str:
		return self._key("epoch", group)

	def _key(self, kind: str, name: str) -> str:
		return f"rq:dogan:{self.site}:cache:{kind}:{name}"


def plain(group: str, value: Any) -> Any:
	"""What a reader gets of a value that is not kept: the same as of one that is."""
	return json.loads(encode(group, value))


def encode(group: str, value: Any) -> str:
	return payload.encode(value, f"What {group} says, to be cached,")


def _days() -> Iterable[str]:
	"""Today and the day before, as the counters are named."""
	now = time.time()
	return (time.strftime("%Y%m%d", time.gmtime(now - 86400 * ago)) for ago in range(STATS_DAYS))
