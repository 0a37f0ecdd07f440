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
	heads, tails = _ends(db, queue, {flow.priority for flow in wanted}, wanted)
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
	heads, _ = _ends(db, queue, {flow.priority for flow in flows}, ())
	behind: dict[Flow, int] = {}
	result = []
	for flow in flows:
		start = (heads.get(flow.priority) or band(flow.priority)[0] + now) + 1
		key = behind[flow] + _gap(flow) if flow in behind else start
		behind[flow] = key
		result.append(key)
	return result


def _ends(
	db: Database, queue: Queue, priorities: set[int], flows: Iterable[Flow]
) -> tuple[dict[int, int], dict[tuple[int, str], int]]:
	"""The head of each priority's queue, and where the next item of each flow goes, in one query."""
	parts: list[str] = []
	params: list[object] = []
	asked: list[int | Flow] = [*priorities, *flows]
	if not asked:
		return {}, {}
	for number, end in enumerate(asked):
		low, high = band(end.priority if isinstance(end, Flow) else end)
		flow, order = (" AND fair_key = %s", " DESC") if isinstance(end, Flow) else ("", "")
		parts.append(
			f"(SELECT {number}, {queue.key} FROM {queue.table} WHERE {queue.where}{flow} AND {queue.key} > %s "
			f"AND {queue.key} < %s ORDER BY {queue.key}{order} LIMIT 1)"
		)
		params.extend((*queue.params, *([end.fair_key] if isinstance(end, Flow) else []), low, high))
	heads: dict[int, int] = {}
	tails: dict[tuple[int, str], int] = {}
	for number, key in db.query(" UNION ALL ".join(parts), params):
		end = asked[number]
		if isinstance(end, Flow):
			tails[end.priority, end.fair_key] = key + _gap(end)
		else:
			heads[end] = key
	return heads, tails


def _gap(flow: Flow) -> int:
	return max(1, round(QUANTUM / flow.weight))


def run_queue() -> Queue:
	"""Runs that wait to be admitted."""
	return Queue("`tabDogan Run`", "queue_key", "1 = 1", ())


def pool_queue(pool: str) -> Queue:
	"""Ready tasks of a pool."""
	return Queue("`tabDogan Task`", "ready_key", "pool = %s", (pool,))
