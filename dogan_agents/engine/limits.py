"""Limits on how many workers may be busy with something at once: an agent, a concurrency key, the whole cluster.

A slot is a worker, not a task: a worker performs one task at a time, so all that it has claimed of one kind fills
one slot. What is busy is read from the Running tasks themselves while the row `limits` is locked: there is no
counter that could go wrong after a crash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.sql import LEASE, NOW, TASK, WORKER

AGENT, KEY, WORKFLOW = "agent:", "key:", "workflow:"


@dataclass(frozen=True, slots=True)
class Limited:
	"""A limit that a task stands under."""

	key: str  # "agent:<name>" or "key:<workflow>.<step>:<value>"
	capacity: int


def lock(db: Database) -> None:
	"""Make the decisions about limits one after the other, until the transaction ends."""
	db.query(f"SELECT name FROM {LEASE} WHERE name = 'limits' FOR UPDATE")


def of_task(host: Host, agent: str | None, limit_key: str | None) -> list[Limited]:
	"""The limits of a task. `limit_key` is `<capacity>|<workflow>.<step>:<value>` as admission wrote it."""
	found = []
	spec = host.agent(agent) if agent else None
	if spec and spec.max_concurrent:
		found.append(Limited(AGENT + spec.name, spec.max_concurrent))
	if limit_key:
		capacity, _, key = limit_key.partition("|")
		found.append(Limited(KEY + key, int(capacity)))
	return found


def busy(db: Database, keys: Iterable[str]) -> dict[str, set[str]]:
	"""For each limit, the workers that fill its slots now."""
	holders: dict[str, set[str]] = {key: set() for key in keys}
	if not holders:
		return holders
	rows = db.query(f"SELECT DISTINCT agent, limit_key, running_on FROM {TASK} WHERE running_on IS NOT NULL")
	for agent, limit_key, worker in rows:
		for key in (AGENT + agent if agent else "", KEY + limit_key.partition("|")[2] if limit_key else ""):
			if key in holders:
				holders[key].add(worker)
	return holders


def first_full(holders: dict[str, set[str]], wanted: Sequence[Limited], worker: str) -> str | None:
	"""Take a slot of each limit for `worker`, or none; the first limit that has no slot left."""
	for limited in wanted:
		taken = holders[limited.key]
		if worker not in taken and len(taken) >= limited.capacity:
			return limited.key
	for limited in wanted:
		holders[limited.key].add(worker)
	return None


def take_place(db: Database, worker: str, max_agents: int) -> bool:
	"""Mark the worker busy unless `max_agents` of the cluster are; inside the claim's transaction."""
	if max_agents:
		lock(db)
		others = db.query(
			f"SELECT COUNT(*) FROM {WORKER} WHERE status = 'Busy' AND expires > {NOW} AND name != %s",
			(worker,),
		)
		if others[0][0] >= max_agents:
			return False
	return bool(
		db.execute(
			f"UPDATE {WORKER} SET status = 'Busy' WHERE name = %s AND status IN ('Idle', 'Busy')", (worker,)
		)
	)


def over(db: Database, worker: str, max_agents: int) -> bool:
	"""Is this busy worker one too many, now that `max_agents` was lowered? The latest to start go first."""
	if not max_agents:
		return False
	rows = db.query(
		f"SELECT name FROM {WORKER} WHERE status = 'Busy' AND expires > {NOW} ORDER BY started_at, name LIMIT %s",
		(max_agents,),
	)
	return len(rows) == max_agents and worker not in {row[0] for row in rows}


def blocked_keys(db: Database) -> list[str]:
	"""Exactly, though the column's collation takes upper and lower case for the same."""
	rows = db.query(
		f"SELECT MIN(blocked_on) FROM {TASK} WHERE blocked_on IS NOT NULL GROUP BY blocked_on COLLATE utf8mb4_bin"
	)
	return [row[0] for row in rows]
