"""Runs that start by the clock. Each time a cron line names is an idempotency key, so nobody starts it twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dogan_agents.engine import payload, template
from dogan_agents.engine.cron import last_due
from dogan_agents.engine.errors import DoganError, NotPermitted
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.runs import StartRequest, digest, start
from dogan_agents.engine.sql import RUN, transaction

NO_NAMES = frozenset({"Administrator", "Guest"})
CATCH_UP = timedelta(minutes=10)  # a time that was missed by more than this is not made up for


@dataclass(frozen=True, slots=True)
class Trigger:
	name: str
	since: datetime | None  # a time before it was made is not made up for
	workflow: str
	version: str
	saved_by: str  # who saved the workflow last: the run is in their name when it has none of its own
	run_as: str | None
	agent_user: str | None
	cron: str
	input: str | None


def start_due(host: Host, db: Database, now: int) -> int:
	"""Start what has come due lately; the number of runs that are new. Commits each for itself."""
	at = host.local(now)
	rows = db.query(
		"SELECT t.name, t.creation, w.name, w.current_version, w.modified_by, w.run_as, a.user, t.cron, "
		"t.input FROM `tabDogan Workflow Trigger` t JOIN `tabDogan Workflow` w ON w.name = t.parent "
		"LEFT JOIN `tabDogan Agent` a ON a.name = w.agent "
		"WHERE t.trigger_type = 'Schedule' AND t.enabled = 1 AND w.enabled = 1 AND w.current_version IS NOT NULL"
	)
	return sum(_start(host, db, Trigger(*row), at, now) for row in rows)


def _start(host: Host, db: Database, trigger: Trigger, at: datetime, now: int) -> bool:
	"""Start the trigger's run unless it is not due or started already; one that is wrong does not stop the others."""
	try:
		due = last_due(trigger.cron, at)
		if at - due > CATCH_UP or (trigger.since and due < trigger.since):
			return False
		key = f"schedule:{trigger.name}:{due:%Y-%m-%d %H:%M}"
		if db.query(
			f"SELECT name FROM {RUN} WHERE idempotency_digest = %s", (digest(trigger.workflow, key),)
		):
			return False
		scope = {"now": due.isoformat(), "workflow": trigger.workflow}
		given = template.render(payload.loads(trigger.input) or {}, scope)
		with transaction(db):
			request = StartRequest(trigger.version, _user(trigger), given, key, trigger="schedule")
			return start(host, db, request, now).created
	except (DoganError, ValueError) as error:
		host.log(f"The schedule {trigger.cron} of {trigger.workflow} cannot start a run: {error}")
		return False


def _user(trigger: Trigger) -> str:
	"""In whose name the run works: Administrator and Guest lend none, as for the other triggers."""
	for user in (trigger.run_as, trigger.agent_user, trigger.saved_by):
		if user and user not in NO_NAMES:
			return user
	raise NotPermitted("it has nobody to run as: choose a user in the workflow's field Runs as User")
