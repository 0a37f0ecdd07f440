"""What happened, counted in the tables: nothing here is assumed, and nothing is remembered from the feeding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import RUN, TASK, marks
from dogan_agents.lab.mail_to_lead import IS_PERSON_SQL, Fed

EFFECTS = """
	SELECT 'effect', task FROM lab_effect GROUP BY task HAVING COUNT(*) > 1
	UNION ALL SELECT 'reply', message_id FROM lab_reply GROUP BY message_id HAVING COUNT(*) > 1
	UNION ALL SELECT 'lead', LOWER(email) FROM lab_lead GROUP BY LOWER(email) HAVING COUNT(*) > 1
"""
LOST = f"""
	SELECT m.message_id, CASE
		WHEN (SELECT COUNT(*) FROM {RUN} r WHERE r.idempotency_key = m.message_id) <> 1 THEN 'has not one run'
		WHEN r.status IS NULL OR r.status <> 'Completed' THEN CONCAT('its run is ', COALESCE(r.status, 'gone'))
		WHEN (SELECT COUNT(*) FROM lab_effect e WHERE e.task = CONCAT(r.name, '-record')) = 0 THEN 'is not recorded'
		WHEN (SELECT COUNT(*) FROM lab_lead l WHERE l.email = m.sender_address) <> {IS_PERSON_SQL}
			THEN IF({IS_PERSON_SQL}, 'has no lead', 'has a lead that is not due')
		WHEN (SELECT COUNT(*) FROM lab_reply a WHERE a.message_id = m.message_id) = 0 AND {IS_PERSON_SQL}
			THEN 'has no reply'
		WHEN (SELECT COUNT(*) FROM lab_reply a WHERE a.message_id = m.message_id) > 0 AND NOT {IS_PERSON_SQL}
			THEN 'has a reply that is not due'
	END AS reason
	FROM lab_message m LEFT JOIN {RUN} r ON r.name = m.run
	HAVING reason IS NOT NULL ORDER BY m.message_id
"""
LEADS = f"""
	SELECT COUNT(IF(JSON_EXTRACT(output, '$.made') = TRUE, 1, NULL)),
		COUNT(IF(JSON_EXTRACT(output, '$.made') = FALSE, 1, NULL))
	FROM {TASK} WHERE step = 'lead' AND status = 'Completed'
"""


@dataclass(frozen=True, slots=True)
class Tally:
	messages: int
	runs: int
	completed: int
	leads: int
	made: int  # leads, as the steps say
	matched: int
	persons: int  # messages that want a lead and a reply
	replies: int
	steps: int  # that have ended
	twice: tuple[str, ...]  # what was done more than once
	lost: tuple[str, ...]  # messages whose work is missing, or wrong
	p50: float  # seconds from a run's start to its end
	p95: float

	def faults(self, fed: Fed) -> Iterator[str]:
		"""What does not tally, given what was fed."""
		if self.messages != fed.messages:
			yield f"{fed.messages} messages were fed, {self.messages} are there"
		if fed.runs_of_again:
			yield f"messages fed a second time started {fed.runs_of_again} runs"
		if self.runs != self.messages:
			yield f"{self.messages} messages have {self.runs} runs"
		if self.completed != self.runs:
			yield f"{self.runs - self.completed} runs are not completed"
		if self.made != self.leads:
			yield f"{self.made} leads were made, {self.leads} are there"
		if self.made + self.matched != self.persons:
			yield f"{self.persons} messages want a lead, {self.made + self.matched} made or matched one"
		if self.replies != self.persons:
			yield f"{self.persons} messages want a reply, {self.replies} replies are queued"
		yield from (f"done twice: {what}" for what in self.twice)
		yield from (f"lost: {what}" for what in self.lost)


def count(db: Database) -> Tally:
	made, matched = db.query(LEADS)[0]
	durations = _durations(db)
	return Tally(
		messages=_number(db, "SELECT COUNT(*) FROM lab_message"),
		runs=_number(db, f"SELECT COUNT(*) FROM {RUN}"),
		completed=len(durations),
		leads=_number(db, "SELECT COUNT(*) FROM lab_lead"),
		made=int(made),
		matched=int(matched),
		persons=_number(db, f"SELECT COUNT(*) FROM lab_message m WHERE {IS_PERSON_SQL}"),
		replies=_number(db, "SELECT COUNT(*) FROM lab_reply"),
		steps=_number(db, f"SELECT COUNT(*) FROM {TASK} WHERE status IN ('Completed', 'Skipped')"),
		twice=tuple(f"{kind} of {what}" for kind, what in db.query(EFFECTS)),
		lost=tuple(f"{message} {reason}" for message, reason in db.query(LOST)),
		p50=quantile(durations, 0.5),
		p95=quantile(durations, 0.95),
	)


@dataclass(frozen=True, slots=True)
class Failover:
	"""What became of the steps that a node had in its hands when it was killed."""

	steps: int
	taken: int  # by another node
	claimed: float | None  # seconds from the kill until others had claimed all of them
	done: float | None  # … until all of them had ended


def measure_failover(db: Database, node: str, killed: int, tasks: Sequence[str]) -> Failover:
	"""`killed`: when, in µs by the database's clock; `tasks`: what it was performing then."""
	if not tasks:
		return Failover(0, 0, None, None)
	since = f"TIMESTAMPDIFF(MICROSECOND, TIMESTAMPADD(MICROSECOND, {int(killed)}, '1970-01-01'), %s) / 1e6"
	taken, claimed, done = db.query(
		f"SELECT COUNT(*), {since % 'MAX(started_at)'}, {since % 'MAX(ended_at)'} "
		f"FROM {TASK} WHERE name IN ({marks(tasks)}) AND node <> %s AND crashes > 0",
		(*tasks, node),
	)[0]
	everything = taken == len(tasks)
	return Failover(len(tasks), taken, _float(claimed) if everything else None, _float(done))


def quantile(values: Sequence[float], share: float) -> float:
	"""The nearest rank; 0 of nothing."""
	return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def _durations(db: Database) -> list[float]:
	rows = db.query(
		f"SELECT TIMESTAMPDIFF(MICROSECOND, creation, ended_at) / 1e6 FROM {RUN} WHERE status = 'Completed'"
	)
	return [float(seconds) for (seconds,) in rows]


def _number(db: Database, sql: str) -> int:
	return int(db.query(sql)[0][0])


def _float(value: object) -> float | None:
	return None if value is None else float(value)  # type: ignore[arg-type]
