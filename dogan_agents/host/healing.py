"""Dogan Healing Events: what was mended, grouped by the hour, and whether it helped."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dogan_agents.cluster.node import NODE
from dogan_agents.engine.healing import Helped, Kind, Watch, What
from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, RUN, TASK, marks

EVENT, AGENT = "`tabDogan Healing Event`", "`tabDogan Agent`"
HOUR = 3_600_000_000  # µs
LOOK_BACK = 50  # events at once
LONGEST = 2000  # characters of what was seen or done
NAME_LENGTH = 140
ALERT_AT = 10  # times within an hour
EVERYDAY = frozenset({Kind.DEADLOCK})  # alarms nobody, however often: databases do that
ENDED = "('Completed', 'Failed', 'Skipped', 'Cancelled')"


@dataclass(frozen=True, slots=True)
class Mended:
	kind: Kind
	subject: str
	seen: str
	done: str
	helped: Helped = Helped.UNKNOWN
	watch: Watch | None = None
	count: int = 1
	same_for: float = 0.0  # seconds

	@property
	def watched(self) -> str | None:
		return json.dumps([self.watch.what.value, *self.watch.names]) if self.watch else None


@dataclass(frozen=True, slots=True)
class Alarm:
	"""People are to be told of an event that has come too often."""

	event: str
	kind: str
	subject: str
	count: int


def write(db: Database, node: str, local: Callable[[int], datetime], mended: Mended) -> Alarm | None:
	"""Write an event, or count up the one of this hour."""
	kind, subject = mended.kind.value, mended.subject[:NAME_LENGTH]
	now = int(db.query(f"SELECT {NOW}")[0][0])
	at, name = local(now), _name(db, kind, subject, now)
	values = {
		"name": name, "creation": at, "modified": at, "owner": "Administrator", "modified_by": "Administrator",
		"kind": kind, "subject": subject, "node": node, "count": mended.count, "first_seen": at, "last_seen": at,
		"seen": mended.seen[:LONGEST], "done": mended.done[:LONGEST], "helped": mended.helped.value,
		"watch": mended.watched, "began": now, "happened": now,
	}  # fmt: skip
	latest = ("modified", "node", "last_seen", "seen", "done", "helped", "watch", "happened")
	again = int(mended.same_for * 1e6)
	db.execute(
		f"INSERT INTO {EVENT} ({', '.join(values)}) VALUES ({marks(list(values))}) ON DUPLICATE KEY UPDATE "
		"count = count + IF(%s = 0 OR happened + %s < VALUES(happened), VALUES(count), 0), "
		+ ", ".join(f"{column} = VALUES({column})" for column in latest),
		(*values.values(), again, again),
	)
	return None if mended.kind in EVERYDAY else _alarm(db, name, mended)


def _name(db: Database, kind: str, subject: str, now: int) -> str:
	"""That of the event of this hour; else what everybody would call the next one, so that there is only one."""
	prefix = hashlib.sha256(f"{kind}\0{subject}".encode()).hexdigest()[:20]
	hour = now // HOUR
	found = db.query(
		f"SELECT name FROM {EVENT} WHERE name IN (%s, %s) AND began > %s ORDER BY began DESC LIMIT 1",
		(f"{prefix}-{hour}", f"{prefix}-{hour - 1}", now - HOUR),
	)
	return str(found[0][0]) if found else f"{prefix}-{hour}"


def _alarm(db: Database, name: str, mended: Mended) -> Alarm | None:
	"""Once for each event, by whoever counts it up that far."""
	if not db.execute(
		f"UPDATE {EVENT} SET told = 1 WHERE name = %s AND told = 0 AND count >= %s", (name, ALERT_AT)
	):
		return None
	((count,),) = db.query(f"SELECT count FROM {EVENT} WHERE name = %s", (name,))
	return Alarm(name, mended.kind.value, mended.subject[:NAME_LENGTH], int(count))


def look_back(db: Database) -> None:
	"""Write down of the last hour's events whether it helped, as soon as that is known."""
	rows = db.query(
		f"SELECT name, watch, happened, last_seen FROM {EVENT} WHERE helped = 'Unknown' AND happened > {NOW} - %s "
		"AND watch IS NOT NULL ORDER BY happened LIMIT %s",
		(HOUR, LOOK_BACK),
	)
	for name, watch, happened, at in rows:
		what, *names = json.loads(watch)
		helped = LOOKS[What(what)](db, names, at)
		if helped is not Helped.UNKNOWN:
			db.execute(
				f"UPDATE {EVENT} SET helped = %s WHERE name = %s AND happened = %s",
				(helped.value, name, happened),
			)


def _tasks(db: Database, names: Sequence[str], at: datetime) -> Helped:
	"""Have they ended, or did they kill another worker?"""
	rows = db.query(
		f"SELECT error_kind FROM {TASK} WHERE name IN ({marks(names)}) AND status NOT IN {ENDED}", names
	)
	if not rows:
		return Helped.YES
	return Helped.NO if ("Crash",) in rows else Helped.UNKNOWN


def _pool(db: Database, names: Sequence[str], at: datetime) -> Helped:
	rows = db.query(
		f"SELECT name FROM {TASK} WHERE pool = %s AND ready_key > 0 AND ready_at <= %s LIMIT 1",
		(names[0], at),
	) or db.query(f"SELECT name FROM {RUN} WHERE queue_key > 0 AND creation <= %s LIMIT 1", (at,))
	return Helped.UNKNOWN if rows else Helped.YES


def _node(db: Database, names: Sequence[str], at: datetime) -> Helped:
	rows = db.query(f"SELECT status FROM {NODE} WHERE name = %s", (names[0],))
	if not rows or rows[0][0] in ("Dead", "Stopped"):
		return Helped.NO
	return Helped.UNKNOWN if rows[0][0] == "Late" else Helped.YES


def _left(db: Database, names: Sequence[str], at: datetime) -> Helped:
	rows = db.query(
		f"SELECT name FROM {TASK} WHERE running_on IS NOT NULL AND node = %s AND started_at <= %s LIMIT 1",
		(names[0], at),
	)
	return Helped.UNKNOWN if rows else Helped.YES


def _agent(db: Database, names: Sequence[str], at: datetime) -> Helped:
	rows = db.query(f"SELECT breaker FROM {AGENT} WHERE name = %s", (names[0],))
	return Helped.YES if rows and rows[0][0] == "Closed" else Helped.UNKNOWN


LOOKS: dict[What, Callable[[Database, Sequence[str], datetime], Helped]] = {
	What.TASKS: _tasks,
	What.POOL: _pool,
	What.NODE: _node,
	What.LEFT: _left,
	What.AGENT: _agent,
}
