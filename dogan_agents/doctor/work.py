"""Is work being done?"""

import time
from collections.abc import Iterator

import frappe
from frappe.utils import add_to_date, now_datetime, time_diff_in_seconds
from frappe.utils.scheduler import get_scheduler_tick

from dogan_agents.doctor.finding import Finding, fail, ok, warn

READY_WARN, READY_FAIL = 60, 600  # seconds a task may be ready without being begun
LEADER_FAIL = 900  # seconds without a sweep


def switched_on() -> Iterator[Finding]:
	if frappe.db.get_single_value("Dogan Settings", "enabled"):
		yield ok("settings", "The orchestrator is enabled.")
	else:
		yield warn("settings", "The orchestrator is switched off.", "Tick Enabled in Dogan Settings.")


def leader() -> Iterator[Finding]:
	rows = frappe.db.sql("SELECT holder, expires FROM `tabDogan Lease` WHERE name = 'sweep'")
	remedy = "Enable the scheduler and start the bench's workers; each of them sweeps while it is at work."
	if not rows or not rows[0][1]:
		yield warn("leader", "Nobody has swept yet.", remedy)
		return
	holder, expires = rows[0]
	silent, by = time.time() - expires / 1e6, f", by {holder}" if holder else ""
	if silent < 0:
		yield ok("leader", f"{holder} leads.")
	elif silent < 2 * get_scheduler_tick() + 30:
		yield ok("leader", f"Nobody leads now; the last sweep was {silent:.0f} s ago{by}.")
	else:
		found = fail if silent > LEADER_FAIL else warn
		yield found("leader", f"The last sweep was {silent:.0f} s ago{by}.", remedy)


def oldest_ready() -> Iterator[Finding]:
	rows = frappe.db.sql(
		"SELECT name, pool, ready_at FROM `tabDogan Task` WHERE ready_key > 0 ORDER BY ready_at LIMIT 1"
	)
	if not rows:
		yield ok("ready tasks", "No task is waiting to be begun.")
		return
	task, pool, ready_at = rows[0]
	age = time_diff_in_seconds(now_datetime(), ready_at)
	text = f"The oldest ready task has waited {age:.0f} s: {task}, in the pool {pool}."
	remedy = "Start more workers for the pool's queue, or look at what the ones there are busy with."
	if age > READY_FAIL:
		yield fail("ready tasks", text, remedy)
	elif age > READY_WARN:
		yield warn("ready tasks", text, remedy)
	else:
		yield ok("ready tasks", text)


def dead_workers() -> Iterator[Finding]:
	since = add_to_date(now_datetime(), days=-1)
	count = frappe.db.count("Dogan Worker", {"status": "Dead", "last_seen": (">", since)})
	if count:
		yield warn(
			"dead workers",
			f"{count} died in the last day; their work was moved on.",
			"Find out why: the system's log (out of memory?) and logs/worker.error.log.",
		)
	else:
		yield ok("dead workers", "None died in the last day.")


def failed_runs() -> Iterator[Finding]:
	since = add_to_date(now_datetime(), days=-1)
	count = frappe.db.count("Dogan Run", {"status": "Failed", "modified": (">", since)})
	if count:
		yield warn(
			"failed runs",
			f"{count} failed in the last day.",
			f"See why, then retry: bench --site {frappe.local.site} dogan runs --status Failed",
		)
	else:
		yield ok("failed runs", "None failed in the last day.")


def parked_tasks() -> Iterator[Finding]:
	tasks = frappe.get_all(
		"Dogan Task", {"status": "Parked"}, ["run", "step"], order_by="creation", limit=100
	)
	if tasks:
		runs = ", ".join(f"{task.run} ({task.step})" for task in tasks[:3])
		yield warn(
			"parked tasks",
			f"{len(tasks)} want a person: {runs}{' …' if len(tasks) > 3 else ''}.",
			"Read the task's error, mend the cause, then retry or cancel the run.",
		)
	else:
		yield ok("parked tasks", "Nothing waits for a person.")
