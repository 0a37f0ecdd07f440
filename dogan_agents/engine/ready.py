"""Making tasks Ready: their place among the nodes, and their place in the queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dogan_agents.engine import order
from dogan_agents.engine.place import ANYWHERE, Nowhere, Place, PlaceRequest
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.sql import TASK, each, marks

PLACE = "place:"  # `blocked_on` of a task that no node may perform

Call = tuple[str, str]
"""A pool and the node to wake there; "" for whichever comes."""


@dataclass(frozen=True, slots=True)
class Candidate:
	"""A locked task that may become Ready."""

	name: str
	pool: str
	place: str | None  # a PlaceRequest, encoded
	flow: order.Flow


def choose(host: Host, pool: str, places: Sequence[str | None]) -> list[Place | Nowhere]:
	"""A place for each; the host is asked only about those that ask for one."""
	asked = [PlaceRequest.decode(place) for place in places if place]
	answers = iter(host.place(pool, asked) if asked else ())
	return [next(answers) if place else ANYWHERE for place in places]


def make_ready(
	host: Host, db: Database, candidates: Sequence[Candidate], now: int, *, front: bool = False
) -> set[Call]:
	"""Put tasks into their pools' queues; to the `front` when they have had their turn before. Who is to be woken.

	A task that may be performed nowhere becomes Blocked instead, until the sweep finds a node for it.
	"""
	calls: set[Call] = set()
	for pool in dict.fromkeys(candidate.pool for candidate in candidates):
		mine = [candidate for candidate in candidates if candidate.pool == pool]
		answers = choose(host, pool, [candidate.place for candidate in mine])
		placed, nowhere = [], []
		for candidate, answer in zip(mine, answers, strict=True):
			if isinstance(answer, Nowhere):
				nowhere.append((candidate, answer))
			else:
				placed.append((candidate, answer))
		_block(db, nowhere)
		_queue(host, db, pool, placed, now, front)
		calls.update((pool, place.node or "") for _, place in placed)
	return calls


def _queue(
	host: Host, db: Database, pool: str, placed: Sequence[tuple[Candidate, Place]], now: int, front: bool
) -> None:
	if not placed:
		return
	names = [candidate.name for candidate, _ in placed]
	flows = [candidate.flow for candidate, _ in placed]
	keys = (order.front if front else order.keys)(db, order.pool_queue(pool), flows, now)
	queue, queue_params = each("ready_key", names, keys)
	target, target_params = each("target", names, [place.node for _, place in placed])
	pinned, pinned_params = each("pinned", names, [int(place.pinned) for _, place in placed])
	db.execute(
		f"UPDATE {TASK} SET status = 'Ready', waiting_on = 0, due = 0, blocked_on = NULL, ready_at = %s, "
		f"{queue}, {target}, {pinned} WHERE name IN ({marks(names)})",
		(host.local(now), *queue_params, *target_params, *pinned_params, *names),
	)


def _block(db: Database, nowhere: Iterable[tuple[Candidate, Nowhere]]) -> None:
	for candidate, answer in nowhere:
		db.execute(
			f"UPDATE {TASK} SET status = 'Blocked', waiting_on = 0, due = 0, ready_key = 0, blocked_on = %s "
			"WHERE name = %s",
			((PLACE + answer.reason)[:140], candidate.name),
		)
