"""Places that no longer hold: their node is gone or may not work. The sweep finds others."""

from collections.abc import Sequence

from dogan_agents.engine import order
from dogan_agents.engine.healing import Kind, Watch
from dogan_agents.engine.place import Nowhere
from dogan_agents.engine.ports import Database, Host, Row
from dogan_agents.engine.ready import PLACE, Candidate, choose, make_ready
from dogan_agents.engine.sql import RUN, TASK, marks, transaction

BATCH = 500


def replace(host: Host, db: Database, now: int) -> int:
	"""Give another place to Ready tasks whose node may not perform them; the number of tasks."""
	moved = 0
	targets = db.query(f"SELECT DISTINCT pool, target FROM {TASK} WHERE target IS NOT NULL AND ready_key > 0")
	for pool, node in targets:
		if not host.may_perform(pool, node):
			with transaction(db):
				tasks = db.query(
					f"SELECT name, run, pool, place FROM {TASK} WHERE pool = %s AND target = %s AND ready_key > 0 "
					"ORDER BY ready_key LIMIT %s FOR UPDATE SKIP LOCKED",
					(pool, node, BATCH),
				)
				make_ready(host, db, _candidates(host, db, tasks), now, front=True)
			moved += len(tasks)
			if tasks:
				_tell(host, pool, node, [task[0] for task in tasks])
	return moved


def _tell(host: Host, pool: str, node: str, names: Sequence[str]) -> None:
	host.healed(
		Kind.TASKS_REPLACED,
		node,
		f"{len(names)} ready tasks of the pool {pool} waited for {node}, which is gone or takes no work.",
		"They were given other places, or wait for one.",
		watch=Watch.tasks(names),
	)


def unplaced(host: Host, db: Database, now: int) -> int:
	"""Make those tasks Ready for which there is a node now; their number."""
	with transaction(db):
		tasks = db.query(
			f"SELECT name, run, pool, place FROM {TASK} WHERE blocked_on LIKE %s AND status = 'Blocked' "
			"ORDER BY blocked_on, creation LIMIT %s FOR UPDATE SKIP LOCKED",
			(PLACE + "%", BATCH),
		)
		placed = [task for task in tasks if not isinstance(choose(host, task[2], [task[3]])[0], Nowhere)]
		make_ready(host, db, _candidates(host, db, placed), now, front=True)
	return len(placed)


def _candidates(host: Host, db: Database, tasks: Sequence[Row]) -> list[Candidate]:
	if not tasks:
		return []
	runs = sorted({run for _, run, *_ in tasks})
	rows = db.query(
		f"SELECT name, version, priority, fair_key FROM {RUN} WHERE name IN ({marks(runs)})", runs
	)
	flows = {
		name: order.Flow(priority, key, host.spec(version).weight) for name, version, priority, key in rows
	}
	return [Candidate(name, pool, place, flows[run]) for name, run, pool, place in tasks]
