"""The order of a queue: priority, then a fair time, in one sortable number.

The fair time is start-time fair queueing (Goyal, Vin and Cheng, 1996). Each flow (a fairness key) numbers its
items QUANTUM / weight apart, beginning at the queue's virtual time or after its own last item, whichever is
later. A flow of ten thousand items therefore stretches far into the future, and the first item of another flow
goes in near the front. The virtual time is the head of the queue itself, so there is no counter to lock or lose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dogan_agents.engine.ports import Database

QUANTUM = 1_000  # virtual µs that one item of weight 1 takes
HIGHEST = 9
BAND_BITS = 58


@dataclass(frozen=True, slots=True)
class Queue:
	"""A table's queue: its key column (0 = not queued) and the condition that selects one queue in it."""

	table: str
	key: str
	where: str
	params: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flow:
	priority: int
	fair_key: str
	weight: float = 1.0


def band(priority: int) -> tuple[int, int]:
	"""The lowest key of a priority, and the lowest of the next one after it in the queue."""
	rank = HIGHEST - min(max(priority, 0), HIGHEST)
	return rank << BAND_BITS, (rank + 1) << BAND_BITS


def keys(db: Database, queue: Queue, flows: Sequence[Flow], now: int) -> list[int]:
	"""A queue key for each of `flows`' items, in their order. `now` (µs) is the virtual time of an empty queue."""
	wanted = dict.fromkeys(flows)
	heads = _heads(db, queue, {flow.priority for flow in wanted})
	tails = _tails(db, queue, wanted)
	result = []
	for flow in flows:
		low, _ = band(flow.priority)
		start = max(heads.get(flow.priority) or low + now, tails.get((flow.priority, flow.fair_key), 0))
		tails[flow.priority, flow.fair_key] = start + _gap(flow)
		result.append(start)
	return result


def front(db: Database, queue: Queue, flows: Sequence[Flow], now: int) -> list[int]:
	"""Keys right behind the head of the queue, for items that have had their turn before.

	Many of one flow stand apart there, too: what comes back all at once keeps nobody else waiting.
	"""
	heads = _heads(db, queue, {flow.priority for flow in flows})
	behind: dict[Flow, int] = {}
	result = []
	for flow in flows:
		start = (heads.get(flow.priority) or band(flow.priority)[0] + now) + 1
		key = behind[flow] + _gap(flow) if flow in behind else start
		behind[flow] = key
		result.append(key)
	return result


def _heads(db: Database, queue: Queue, priorities: set[int]) -> dict[int, int]:
	heads = {}
	for priority in priorities:
		low, high = band(priority)
		rows = db.query(
			f"SELECT {queue.key} FROM {queue.table} WHERE {queue.where} AND {queue.key} > %s AND {queue.key} < %s "
			f"ORDER BY {queue.key} LIMIT 1",
			(*queue.params, low, high),
		)
		if rows:
			heads[priority] = rows[0][0]
	return heads


def _tails(db: Database, queue: Queue, flows: Iterable[Flow]) -> dict[tuple[int, str], int]:
	tails = {}
	for flow in flows:
		low, high = band(flow.priority)
		rows = db.query(
			f"SELECT {queue.key} FROM {queue.table} WHERE {queue.where} AND fair_key = %s "
			f"AND {queue.key} > %s AND {queue.key} < %s ORDER BY {queue.key} DESC LIMIT 1",
			(*queue.params, flow.fair_key, low, high),
		)
		if rows:
			tails[flow.priority, flow.fair_key] = rows[0][0] + _gap(flow)
	return tails


def _gap(flow: Flow) -> int:
	return max(1, round(QUANTUM / flow.weight))


def run_queue() -> Queue:
	"""Runs that wait to be admitted."""
	return Queue("`tabDogan Run`", "queue_key", "1 = 1", ())


def pool_queue(pool: str) -> Queue:
	"""Ready tasks of a pool."""
	return Queue("`tabDogan Task`", "ready_key", "pool = %s", (pool,))
