"""Nodes over HTTP: /api/method/dogan_agents.api.nodes.<name>. Cordon, drain, uncordon and forget want one of the
roles Dogan Operator, Dogan Manager or System Manager.
"""

from typing import Any

import frappe
from frappe import _

from dogan_agents.api.access import OPERATORS, require_read
from dogan_agents.cluster.node import NODE, STATUS, at_work
from dogan_agents.host.frappe import site_host

GONE = ("Dead", "Stopped")
SHOWN = 20  # tasks and workers on the form


@frappe.whitelist()
def overview(node: str) -> dict[str, Any]:
	"""How a node is at this moment: its status, its workers, and the tasks that run on it."""
	require_read("Dogan Node", node)
	tasks = frappe.get_list(
		"Dogan Task",
		{"node": node, "status": "Running"},
		["name", "run", "workflow", "step", "started_at"],
		order_by="started_at",
		limit=SHOWN,
	)
	workers = frappe.get_list(
		"Dogan Worker",
		{"node": node, "status": ("in", ("Idle", "Busy"))},
		["name", "pool", "pid", "status", "tasks_done", "last_seen"],
		order_by="creation",
		limit=SHOWN,
	)
	return {**_answer(node), "tasks": tasks, "workers": workers}


@frappe.whitelist(methods=["POST"])
def cordon(node: str) -> dict[str, Any]:
	"""Let nothing new begin on the node; what runs there finishes."""
	_change(node, _("Cordoned"), cordoned=1)
	return _answer(node)


@frappe.whitelist(methods=["POST"])
def drain(node: str) -> dict[str, Any]:
	"""Cordon the node, and tell when it is empty: then it is Draining no more."""
	_change(node, _("Drain begun"), cordoned=1, draining=1)
	return _answer(node)


@frappe.whitelist(methods=["POST"])
def uncordon(node: str) -> dict[str, Any]:
	"""Let the node work again."""
	_change(node, _("Uncordoned"), cordoned=0, draining=0)
	return _answer(node)


@frappe.whitelist(methods=["POST"])
def forget(node: str) -> dict[str, str]:
	"""Delete a node that is dead or stopped. One that comes back registers anew."""
	_require_operator(node)
	status = _answer(node)["status"]
	if status not in GONE:
		frappe.throw(_("The node {0} is {1}: only one that is dead or stopped can be forgotten.").format(
			frappe.bold(frappe.utils.escape_html(node)), _(status)
		))  # fmt: skip
	doc = frappe.get_doc("Dogan Node", node)
	doc.flags.by_engine = True
	doc.delete(ignore_permissions=True)
	return {"node": node, "status": "Forgotten"}


def _change(node: str, what: str, **values: int) -> None:
	_require_operator(node)
	frappe.db.set_value("Dogan Node", node, values)
	site_host().own.execute(f"UPDATE {NODE} SET status = {STATUS} WHERE name = %s", (node,))
	frappe.get_doc("Dogan Node", node).add_comment("Info", what)


def _require_operator(node: str) -> None:
	require_read("Dogan Node", node)
	if not set(OPERATORS) & set(frappe.get_roles()):
		frappe.throw(
			_("Directing nodes needs one of the roles {0}.").format(", ".join(_(role) for role in OPERATORS)),
			frappe.PermissionError,
		)


def _answer(node: str) -> dict[str, Any]:
	"""The status by the database's clock, and what still runs."""
	db = site_host().own
	status, cordoned, draining = db.query(
		f"SELECT {STATUS}, cordoned, draining FROM {NODE} WHERE name = %s", (node,)
	)[0]
	running, busy = at_work(db, node)
	return {
		"node": node,
		"status": status,
		"cordoned": bool(cordoned),
		"draining": bool(draining),
		"running": running,
		"busy": busy,
	}
