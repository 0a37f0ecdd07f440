"""Runs that start by the clock. Each time a cron line names is an idempotency key, so nobody starts it twice."""

from datetime import timedelta

from dogan_agents.engine import payload, template
from dogan_agents.engine.cron import last_due
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.runs import StartRequest, digest, start

CATCH_UP = timedelta(minutes=10)  # a time that was missed by more than this is not made up for


def start_due(host: Host, db: Database, now: int) -> int:
	"""Start what has come due lately; the number of runs that are new. Commits for itself."""
	at = host.local(now)
	rows = db.query(
		"SELECT w.name, w.current_version, w.owner, w.run_as, t.cron, t.input FROM `tabDogan Workflow Trigger` t "
		"JOIN `tabDogan Workflow` w ON w.name = t.parent "
		"WHERE t.trigger_type = 'Schedule' AND t.enabled = 1 AND w.enabled = 1 AND w.current_version IS NOT NULL"
	)
	started = 0
	for workflow, version, owner, run_as, cron, data in rows:
		due = last_due(cron, at)
		if at - due > CATCH_UP:
			continue
		key = f"schedule:{cron}:{due:%Y-%m-%d %H:%M}"
		if db.query(
			"SELECT name FROM `tabDogan Run` WHERE idempotency_digest = %s", (digest(workflow, key),)
		):
			continue
		given = template.render(payload.loads(data) or {}, {"now": due.isoformat(), "workflow": workflow})
		request = StartRequest(version, run_as or owner, given, key, trigger="schedule")
		db.begin()
		started += start(host, db, request, now).created
		db.commit()
	return started
