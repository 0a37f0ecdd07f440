"""What a node is, by its row and the database's clock."""

from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, TASK, WORKER

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


def judge(db: Database) -> list[str]:
	"""Write down what the nodes are by now; the names of those that have just been found dead."""
	dead = [
		str(name)
		for (name,) in db.query(
			f"SELECT name FROM {NODE} WHERE status NOT IN ('Stopped', 'Dead') AND expires < {NOW}"
		)
	]
	_end_drains(db)
	db.execute(f"UPDATE {NODE} SET status = {STATUS} WHERE status != {STATUS}")
	return dead


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
