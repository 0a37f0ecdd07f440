"""Shared state over HTTP: /api/method/dogan_agents.api.state.<name>. Annotations are checked by Frappe.

`scope_type` is "Run" or "Workflow", `scope` its name. Reading wants read access to that; writing wants one of the
roles Dogan Operator, Dogan Manager or System Manager, too. A value that is given as a string is JSON text.
"""

import json
from typing import Any

import frappe
from frappe import _
from frappe.rate_limiter import rate_limit

from dogan_agents.api.access import require_operator, require_read, starts_a_minute
from dogan_agents.api.errors import as_frappe_errors
from dogan_agents.cluster.state import Scope, State
from dogan_agents.host.frappe import site_host


@frappe.whitelist()
def get(scope_type: str, scope: str, key: str) -> dict[str, Any]:
	"""`{"value", "revision"}`; None and 0 when there is none."""
	with as_frappe_errors():
		value, revision = _state(scope_type, scope).read(key)
	return {"value": value, "revision": revision}


@frappe.whitelist()
def get_all(scope_type: str, scope: str) -> dict[str, Any]:
	"""Every key's value."""
	return _state(scope_type, scope).all()


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def set(scope_type: str, scope: str, key: str, value: Any = None) -> int:
	"""Write a value; its revision."""
	require_operator()
	with as_frappe_errors():
		return _state(scope_type, scope).set(key, _parse(value))


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def compare_and_set(scope_type: str, scope: str, key: str, revision: int, value: Any = None) -> bool:
	"""Write a value if nobody has since that revision was read (0 = there was none); whether it was written."""
	require_operator()
	with as_frappe_errors():
		return _state(scope_type, scope).compare_and_set(key, _parse(value), revision)


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def increment(scope_type: str, scope: str, key: str, by: float = 1) -> float:
	"""Count a number up; what it is then."""
	require_operator()
	with as_frappe_errors():
		return _state(scope_type, scope).increment(key, int(by) if float(by).is_integer() else by)


@frappe.whitelist(methods=["POST"])
@rate_limit(limit=starts_a_minute, seconds=60)
def delete(scope_type: str, scope: str, key: str) -> bool:
	"""Whether it was there."""
	require_operator()
	with as_frappe_errors():
		return _state(scope_type, scope).delete(key)


def _state(scope_type: str, scope: str) -> State:
	if scope_type not in [each.value for each in Scope]:
		frappe.throw(_("State is kept for a Run or a Workflow, not for {0}.").format(frappe.bold(scope_type)))
	kind = Scope(scope_type)
	require_read(f"Dogan {kind.value}", scope)
	workflow = scope if kind is Scope.WORKFLOW else frappe.db.get_value("Dogan Run", scope, "workflow")
	return site_host().state_of(kind, scope, workflow, frappe.session.user)


def _parse(value: Any) -> Any:
	if not isinstance(value, str):
		return value
	try:
		return json.loads(value)
	except ValueError as error:
		frappe.throw(_("The value is not valid JSON: {0}").format(error))
