"""What the rest of the app calls: start, cancel and retry runs in the caller's transaction, and the RQ jobs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _
from rq import get_current_job

from dogan_agents.cluster.node import watch
from dogan_agents.engine import runs
from dogan_agents.engine.drain import drain
from dogan_agents.engine.errors import InputError, NotFound
from dogan_agents.engine.lease import lead, step_down
from dogan_agents.engine.sweep import sweep
from dogan_agents.host import callbacks
from dogan_agents.host.queues import asked_to_stop
from dogan_agents.host.site import DrainHost, SiteHost

CONFIG_SECONDS = 5.0  # how often a drain looks whether the site went into maintenance


@dataclass(frozen=True)
class Wake:
	"""An after-commit callback; equal ones are registered once in a transaction."""

	pool: str
	node: str = ""

	def __call__(self) -> None:
		site_host().hands.wake(self.pool, self.node)


def site_host() -> SiteHost:
	"""The host of this request, job or command."""
	host = getattr(frappe.local, "dogan_host", None)
	if host is None:
		host = frappe.local.dogan_host = SiteHost()
	return host


def start_run(
	workflow: str,
	input: Any = None,
	*,
	idempotency_key: str | None = None,
	reference_doctype: str | None = None,
	reference_name: str | None = None,
	user: str | None = None,
	trigger: str = "api",
	priority: int | None = None,
) -> dict[str, str]:
	"""Write a run in the transaction that is open; it is queued when that commits, and gone when it does not.

	Returns `{"run", "status"}`: of the run there was already when the workflow has seen the idempotency key.
	"""
	host = site_host()
	version = _version(host, workflow)
	request = runs.StartRequest(
		version=version,
		user=user or frappe.session.user,
		input=input,
		idempotency_key=idempotency_key,
		reference_doctype=reference_doctype,
		reference_name=reference_name,
		priority=priority,
		trigger=trigger,
	)
	started = runs.start(host, host.work, request, _now())
	if started.created:
		wake_after_commit(host.spec(version).entry_pool)
	return {"run": started.run, "status": started.status}


def _version(host: SiteHost, workflow: str) -> str:
	"""The version that a new run is of. In plain SQL: building the query takes Frappe longer than MariaDB needs."""
	rows = host.work.query(
		"SELECT enabled, current_version FROM `tabDogan Workflow` WHERE name = %s", (workflow,)
	)
	if not rows:
		raise NotFound(_("There is no workflow {0}.").format(workflow))
	enabled, version = rows[0]
	if not enabled or not version:
		raise InputError(_("The workflow {0} is disabled.").format(workflow))
	return str(version)


def cancel_run(run: str) -> None:
	"""End a run at once; StateError when it has ended already."""
	host = site_host()
	runs.cancel(host, host.work, run, _now())


def retry_run(run: str) -> None:
	"""Take up a run where it stopped; StateError when nothing in it can be tried again."""
	host = site_host()
	for pool, node in runs.retry(host, host.work, run, _now()):
		wake_after_commit(pool, node)


def wake_after_commit(pool: str, node: str = "") -> None:
	wake = Wake(pool, node)
	if not callbacks.registered(wake):
		frappe.db.after_commit.add(wake)


def drain_job(pool: str, job: str) -> None:
	"""The RQ job: work the pool off on this worker."""
	host = DrainHost()
	host.hands.begun(pool, job)
	current = get_current_job()
	worker = current.worker_name if current else None
	in_maintenance, asked = maintenance(), asked_to_stop(host.hands.redis, worker)
	try:
		drain(host, pool, stop=lambda: in_maintenance() or asked(), rq_worker=worker)
	finally:
		frappe.set_user("Administrator")


def sweep_tick() -> None:
	"""One sweep, for the scheduler: on a site without a node process nobody else may be at work."""
	host = DrainHost()
	holder = f"{host.node}-scheduler"
	try:
		watch(host)
		if lead(host.own, holder):
			sweep(host, host.own)
			step_down(host.own, holder)
	finally:
		host.own.reset()


def _now() -> int:
	return int(time.time() * 1_000_000)


def maintenance() -> Callable[[], bool]:
	"""Says whether the site is in maintenance, from its config file, looked at now and then."""
	checked, answer = 0.0, False

	def stop() -> bool:
		nonlocal checked, answer
		if time.monotonic() - checked > CONFIG_SECONDS:
			checked = time.monotonic()
			answer = bool(frappe.get_site_config().get("maintenance_mode"))
		return answer

	return stop
