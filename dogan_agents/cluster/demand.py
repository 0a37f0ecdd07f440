"""What waits for the workers of a node."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from dogan_agents.engine.ports import Host
from dogan_agents.engine.sql import RUN, TASK, WORKER, marks

ENOUGH = 200  # more need not be counted


@dataclass(frozen=True, slots=True)
class Waiting:
	count: int = 0
	seconds: float = 0.0  # how long the next of them has waited


def waiting_tasks(host: Host, pools: Mapping[str, int]) -> Waiting:
	"""Ready tasks and queued runs that a worker more, on this node, could begin; `pools` have their limits."""
	db = host.own
	rows = db.query(
		f"SELECT pool, COUNT(*), SUM(status = 'Busy') FROM {WORKER} WHERE status IN ('Idle', 'Busy') GROUP BY pool"
	)
	taken = {pool: count for pool, count, _ in rows}
	most = host.settings().max_agents
	room = most - sum(int(busy) for *_, busy in rows) if most else ENOUGH
	names = [name for name, limit in pools.items() if not limit or taken.get(name, 0) < limit]
	if not names or room <= 0:
		return Waiting()
	tasks, runs = _ready(host, names), _queued(host, names)
	return Waiting(min(tasks.count + runs.count, room), max(tasks.seconds, runs.seconds))


def _ready(host: Host, pools: list[str]) -> Waiting:
	mine = "(target IS NULL OR target = %s)"
	rows = host.own.query(
		f"SELECT COUNT(*) FROM (SELECT 1 FROM {TASK} WHERE pool IN ({marks(pools)}) AND ready_key > 0 AND {mine} "
		f"LIMIT {ENOUGH}) some",
		(*pools, host.node),
	)
	if not rows[0][0]:
		return Waiting()
	first = [
		row[0]
		for pool in pools
		for row in host.own.query(
			f"SELECT ready_at FROM {TASK} WHERE pool = %s AND ready_key > 0 AND {mine} ORDER BY ready_key LIMIT 1",
			(pool, host.node),
		)
	]
	return Waiting(int(rows[0][0]), _age(host, first))


def _queued(host: Host, pools: list[str]) -> Waiting:
	"""Runs that nobody had the time to admit."""
	rows = host.own.query(
		f"SELECT version, creation FROM {RUN} WHERE queue_key > 0 ORDER BY queue_key LIMIT {ENOUGH}"
	)
	if not rows or host.spec(rows[0][0]).entry_pool not in pools:
		return Waiting()
	return Waiting(len(rows), _age(host, [rows[0][1]]))


def _age(host: Host, times: list) -> float:
	now = host.local(int(time.time() * 1e6))
	return max(((now - at).total_seconds() for at in times if at), default=0.0)
