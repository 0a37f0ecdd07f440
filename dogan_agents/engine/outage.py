"""Has Redis been away, and has it forgotten what it knew? The leader looks; what it saw is in the row `redis`."""

from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.engine.lease import prepare
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.sql import LEASE


def look(host: Host, db: Database, now: int) -> None:
	"""Compare the mark in Redis with the one remembered here. Nothing was lost but wake-ups, and the sweep wakes."""
	rows = db.query(f"SELECT holder, expires FROM {LEASE} WHERE name = 'redis'")
	if not rows:
		prepare(db)
		return
	known, away_since = rows[0]
	try:
		mark = host.hands.mark()
		if mark is not None and (mark, 0) == (known, away_since):
			return
		mark = mark or host.hands.leave_mark()
	except Exception:
		db.execute(f"UPDATE {LEASE} SET expires = %s WHERE name = 'redis' AND expires = 0", (now,))
		return
	changed = db.execute(
		f"UPDATE {LEASE} SET holder = %s, expires = 0 WHERE name = 'redis' AND expires = %s AND holder <=> %s",
		(mark, away_since, known),
	)
	if changed and known:
		_tell(host, mark != known, (now - away_since) / 1e6 if away_since else 0.0)


def _tell(host: Host, wiped: bool, seconds: float) -> None:
	seen = f"Redis did not answer for {seconds:.0f} s" if seconds else "Redis had forgotten all it knew"
	if wiped and seconds:
		seen += ", and had forgotten all it knew"
	host.healed(
		Kind.REDIS_WIPED if wiped else Kind.REDIS_LOST,
		"Redis",
		seen + ".",
		"Work is kept in the database; workers were called anew where there was some.",
		Helped.YES,
	)
