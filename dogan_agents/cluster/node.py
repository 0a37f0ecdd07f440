"""What a node is, by its row and the database's clock."""

from collections.abc import Sequence

from dogan_agents.engine.healing import Kind, Watch, What
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.sql import NOW, TASK, WORKER, marks

NODE = "`tabDogan Node`"
BEAT_SECONDS = 5.0
LATE_SECONDS = 10.0  # of silence
DEAD_SECONDS = 15.0
STATUS = (
	f"CASE WHEN status = 'Stopped' THEN 'Stopped' WHEN expires < {NOW} THEN 'Dead' "
	f"WHEN expires < {NOW} + {int((DEAD_SECONDS - LATE_SECONDS) * 1e6)} THEN 'Late' "
	"WHEN draining = 1 THEN 'Draining' WHEN cordoned = 1 THEN 'Cordoned' ELSE 'Healthy' END"
)
"""What a node is at this moment; the column only knows it since somebody has looked."""


def watch(host: Host) -> None:
	"""Write down what the nodes are by now, and tell of those that have just been found silent."""
	for name in _fallen(host.own, "Late", ("Stopped", "Dead", "Late"), DEAD_SECONDS - LATE_SECONDS):
		host.healed(
			Kind.NODE_LATE,
			name,
			f"The node {name} was silent for more than {LATE_SECONDS:.0f} s.",
			"It is watched; it may go on working.",
			watch=Watch(What.NODE, (name,)),
		)
	for name in judge(host.own):
		host.healed(
			Kind.NODE_DIED,
			name,
			f"The node {name} was silent for more than {DEAD_SECONDS:.0f} s.",
			"It is given no work; what it had begun is done elsewhere.",
			watch=Watch(What.LEFT, (name,)),
		)


def judge(db: Database) -> list[str]:
	"""Write down what the nodes are by now; the names of those that have just been found dead."""
	dead = _fallen(db, "Dead", ("Stopped", "Dead"), 0)
	_end_drains(db)
	db.execute(f"UPDATE {NODE} SET status = {STATUS} WHERE status != {STATUS}")
	return dead


def _fallen(db: Database, status: str, but: Sequence[str], left: float) -> list[str]:
	"""Those that have less than `left` seconds until they count as dead; each is given to one who asks."""
	where = f"status NOT IN ({marks(but)}) AND expires BETWEEN 1 AND {NOW} + {int(left * 1e6)}"
	if left:
		where += f" AND expires >= {NOW}"
	names = [str(name) for (name,) in db.query(f"SELECT name FROM {NODE} WHERE {where}", but)]
	return [
		name
		for name in names
		if db.execute(f"UPDATE {NODE} SET status = %s WHERE name = %s AND {where}", (status, name, *but))
	]


def _end_drains(db: Database) -> None:
	"""A cordoned node on which nothing runs any more has been drained."""
	for (name,) in db.query(f"SELECT name FROM {NODE} WHERE draining = 1 AND cordoned = 1"):
		if not any(at_work(db, name)):
			db.execute(f"UPDATE {NODE} SET draining = 0 WHERE name = %s AND cordoned = 1", (name,))


def at_work(db: Database, name: str) -> tuple[int, int]:
	"""How many tasks run on a node, and how many of its workers are busy with any."""
	(tasks,) = db.query(
		f"SELECT COUNT(*) FROM {TASK} WHERE running_on IS NOT NULL AND node = %s AND status = 'Running'",
		(name,),
	)[0]
	(workers,) = db.query(f"SELECT COUNT(*) FROM {WORKER} WHERE status = 'Busy' AND node = %s", (name,))[0]
	return int(tasks), int(workers)


def may_claim(db: Database, name: str) -> bool:
	"""Whether work may begin on a machine: where no node process has ever run, or none any more, nobody forbids it."""
	rows = db.query(
		f"SELECT cordoned = 0 AND draining = 0 AND (status = 'Stopped' OR expires > {NOW}) FROM {NODE} "
		"WHERE name = %s",
		(name,),
	)
	return not rows or bool(rows[0][0])
