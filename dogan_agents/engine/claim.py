"""The claim: one short transaction that makes Ready tasks this worker's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dogan_agents.engine import limits
from dogan_agents.engine.admit import admit
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.ready import Call
from dogan_agents.engine.sql import TASK, each, fence, marks, transaction

ADMIT = 64  # runs admitted a claim at most
STEAL_AFTER = 500_000  # µs that a task waits for its node before an idle one takes it


@dataclass(frozen=True, slots=True)
class Claimed:
	"""A Running task of this worker. `lease_token` is the fence: a result is written only while it still holds."""

	name: str
	run: str
	step: str
	item: int
	attempt: int
	crashes: int
	lease_token: int
	agent: str | None
	limit_key: str | None
	external: bool
	waited_until: int
	ready_key: int

	@property
	def alone(self) -> bool:
		"""Performed in a batch of its own: it acts outside the database, or it may have killed a worker before."""
		return self.external or self.crashes > 0


@dataclass(frozen=True, slots=True)
class Claim:
	tasks: list[Claimed]
	woken: set[Call]  # who has work by the runs admitted
	more: bool  # the queue holds more than was taken
	refused: bool = False  # there is work, but `max_agents` workers are busy already


def claim(host: Host, pool: str, worker: str, size: int, now: int, *, busy: bool = True) -> Claim:
	"""Admit runs, then take up to `size` Ready tasks of the pool, in the order of its one sortable column.

	SKIP LOCKED lets any number of workers claim at once without waiting for each other. A task that acts outside
	is taken alone, so that it keeps nothing else waiting.
	"""
	db = host.own
	with transaction(db):
		woken = admit(host, db, ADMIT, now)
		rows = _ready(host, db, pool, size, now)
		if rows and not busy and not limits.take_place(db, worker, host.settings().max_agents):
			return Claim([], woken, False, refused=True)
		batch = _batch(rows)
		mine = _within_limits(host, db, worker, batch)
		if mine:
			_take(db, host, worker, mine, now)
	return Claim(mine, woken, len(rows) == size or len(batch) < len(rows))


def _ready(host: Host, db: Database, pool: str, size: int, now: int) -> list[Claimed]:
	"""From the head of the queue, what waits for this node and what waits for any; else what others leave waiting."""
	mine = _head(db, "pool = %s AND target = %s", (pool, host.node), size)
	anyones = _head(db, "pool = %s AND target IS NULL", (pool,), size)
	found = sorted((*mine, *anyones), key=lambda task: task.ready_key)[:size] if mine else anyones
	if found:
		return found
	since = host.local(now - STEAL_AFTER)
	return _head(db, "pool = %s AND pinned = 0 AND ready_at < %s", (pool, since), size)


def _head(db: Database, where: str, params: tuple[object, ...], size: int) -> list[Claimed]:
	rows = db.query(
		"SELECT name, run, step, item, attempt + 1, crashes, lease_token + 1, agent, limit_key, external, "
		f"waited_until, ready_key FROM {TASK} WHERE {where} AND ready_key > 0 ORDER BY ready_key LIMIT %s "
		"FOR UPDATE SKIP LOCKED",
		(*params, size),
	)
	return [Claimed(*row) for row in rows]


def _batch(rows: list[Claimed]) -> list[Claimed]:
	"""The tasks from the head of the queue that may share a transaction; a task that may not comes alone."""
	for index, task in enumerate(rows):
		if task.alone:
			return rows[: max(index, 1)]
	return rows


def _take(db: Database, host: Host, worker: str, mine: Sequence[Claimed], now: int) -> None:
	names = [task.name for task in mine]
	db.execute(
		f"UPDATE {TASK} SET status = 'Running', worker = %s, running_on = %s, node = %s, started_at = %s, "
		f"lease_token = lease_token + 1, attempt = attempt + 1, ready_key = 0 WHERE name IN ({marks(names)})",
		(worker, worker, host.node, host.local(now), *names),
	)


def release(host: Host, tasks: Sequence[Claimed]) -> None:
	"""Give back tasks that were claimed and not begun, to the place in the queue where they were."""
	names = [task.name for task in tasks]
	keys, params = each("ready_key", names, [task.ready_key for task in tasks])
	ours, tokens = _fence(tasks)
	host.own.execute(
		f"UPDATE {TASK} SET status = 'Ready', running_on = NULL, attempt = attempt - 1, {keys} "
		f"WHERE {ours} AND status = 'Running'",
		(*params, *tokens),
	)


def held(host: Host, tasks: Sequence[Claimed]) -> list[Claimed]:
	"""Those that are still this worker's own."""
	ours, tokens = _fence(tasks)
	rows = host.own.query(f"SELECT name FROM {TASK} WHERE {ours} AND status = 'Running'", tokens)
	names = {row[0] for row in rows}
	return [task for task in tasks if task.name in names]


def _fence(tasks: Sequence[Claimed]) -> tuple[str, list[Any]]:
	return fence([(task.name, task.lease_token) for task in tasks])


def _within_limits(host: Host, db: Database, worker: str, batch: list[Claimed]) -> list[Claimed]:
	"""Those whose limits have a slot left for this worker; the others leave the queue as Blocked."""
	wanted = {task.name: limits.of_task(host, task.agent, task.limit_key) for task in batch}
	keys = {limited.key for found in wanted.values() for limited in found}
	if not keys:
		return batch
	limits.lock(db)
	holders = limits.busy(db, keys)
	mine, blocked = [], []
	for task in batch:
		full = limits.first_full(holders, wanted[task.name], worker)
		if full:
			blocked.append((task.name, full))
		else:
			mine.append(task)
	if blocked:
		names = [name for name, _ in blocked]
		assign, params = each("blocked_on", names, [key for _, key in blocked])
		db.execute(
			f"UPDATE {TASK} SET status = 'Blocked', ready_key = 0, {assign} WHERE name IN ({marks(names)})",
			(*params, *names),
		)
	return mine
