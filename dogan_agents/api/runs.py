"""Runs over HTTP: /api/method/dogan_agents.api.runs.<name>. Annotations are checked by Frappe, so they are no strings.

Start, cancel and retry want one of the roles Dogan Operator, Dogan Manager or System Manager, and read access to
the workflow or run. Status wants read access to the run, which its user and its owner have, too.
"""

import json
from typing import Any

import frappe
from frappe import _
from frappe.rate_limiter import rate_limit

from dogan_agents.api.access import require_operator, require_read, starts_a_minute
from dogan_agents.api.errors import as_frappe_errors
from dogan_agents.api.progress import progress
from dogan_agents.host import frappe as host


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def start(
	workflow: str,
	input: dict | str | None = None,
	idempotency_key: str | None = None,
	reference_doctype: str | None = None,
	reference_name: str | int | None = None,
) -> dict[str, str]:
	"""Start a run of a workflow; with an idempotency key that it has seen before, the run of that time.

	`input` is a JSON object. Returns `{"run", "status"}`; the run begins when this request has been committed.
	"""
	require_operator()
	require_read("Dogan Workflow", workflow)
	_check_reference(reference_doctype, reference_name)
	with as_frappe_errors():
		return host.start_run(
			workflow,
			_parse(input),
			idempotency_key=_check_key(idempotency_key),
			reference_doctype=reference_doctype or None,
			reference_name=str(reference_name) if reference_name else None,
			trigger="api" if frappe.get_request_header("Authorization") else "manual",
		)


@frappe.whitelist()
def status(run: str) -> dict[str, Any]:
	"""Where a run stands: its status, times, output and error, and those of each step."""
	require_read("Dogan Run", run)
	return progress(run)


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def cancel(run: str) -> dict[str, str]:
	"""End a run at once. What its steps have committed stays; a step under way cannot commit any more."""
	require_operator()
	require_read("Dogan Run", run)
	with as_frappe_errors():
		host.cancel_run(run)
	return _answer(run)


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def retry(run: str) -> dict[str, str]:
	"""Take up a run where it stopped: failed, parked and cancelled steps again, completed ones not."""
	require_operator()
	require_read("Dogan Run", run)
	with as_frappe_errors():
		host.retry_run(run)
	return _answer(run)


def _answer(run: str) -> dict[str, str]:
	return {"run": run, "status": frappe.db.get_value("Dogan Run", run, "status")}


def _parse(given: dict | str | None) -> dict[str, Any]:
	if isinstance(given, dict):
		return given
	if given is None or not given.strip():
		return {}
	try:
		data = json.loads(given)
	except ValueError as error:
		frappe.throw(_("The input is not valid JSON: {0}").format(error))
	if not isinstance(data, dict):
		frappe.throw(_('The input is not a JSON object: write {"name": value, …}.'))
	return data  # type: ignore[no-any-return]


def _check_key(key: str | None) -> str | None:
	if key and len(key) > 140:
		frappe.throw(_("The idempotency key has {0} characters; 140 is the most.").format(len(key)))
	return key or None


def _check_reference(doctype: str | None, name: str | int | None) -> None:
	if bool(doctype) != bool(name):
		frappe.throw(_("A reference needs both reference_doctype and reference_name."))
	if doctype and name:
		require_read(doctype, name)
