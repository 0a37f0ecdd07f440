"""Deletes what has ended long ago, a batch at a time."""

import frappe
from frappe.query_builder.functions import Count
from frappe.utils import add_days, cint, now_datetime

from dogan_agents.engine.states import RUN_ENDED

BATCH = 1000
BATCHES_PER_JOB = 20


def clear_runs(days: int) -> None:
	"""Delete runs that ended more than `days` ago with their tasks; what one job leaves, the next goes on with."""
	before = add_days(now_datetime(), -cint(days))
	for _batch in range(BATCHES_PER_JOB):
		names = _ended_runs(before)
		delete_runs(names)
		if len(names) < BATCH:
			return
	frappe.enqueue(
		"dogan_agents.host.retention.clear_runs",
		queue="long",
		enqueue_after_commit=True,
		days=days,
	)


def delete_runs(names: list[str]) -> None:
	"""Delete these runs with their tasks and what those shared."""
	if names:
		frappe.db.delete("Dogan Task", {"run": ("in", names)})
		frappe.db.delete("Dogan State", {"scope_type": "Run", "scope": ("in", names)})
		frappe.db.delete("Dogan Run", {"name": ("in", names)})


def clear_workers(days: int) -> None:
	"""Delete the rows of workers that are gone for more than `days`."""
	before = add_days(now_datetime(), -cint(days))
	frappe.db.delete("Dogan Worker", {"status": ("in", ("Dead", "Stopped")), "last_seen": ("<", before)})


def count_open_runs(workflow: str) -> int:
	run = frappe.qb.DocType("Dogan Run")
	ended = [status.value for status in RUN_ENDED]
	query = (
		frappe.qb.from_(run).select(Count("*")).where((run.workflow == workflow) & run.status.notin(ended))
	)
	return query.run()[0][0]


def _ended_runs(before) -> list[str]:
	return frappe.get_all(
		"Dogan Run",
		filters={"status": ("in", [status.value for status in RUN_ENDED]), "modified": ("<", before)},
		pluck="name",
		order_by="modified asc",
		limit=BATCH,
	)
