"""Who sees which runs and tasks: those who watch see all, everybody else what was done in his own name."""

import frappe
from frappe.model.document import Document

WATCHERS = frozenset({"System Manager", "Dogan Manager", "Dogan Operator"})


def has_run_permission(doc: Document, ptype: str, user: str) -> bool:
	return _watches(user) or user in (doc.user, doc.owner)


def has_task_permission(doc: Document, ptype: str, user: str) -> bool:
	if _watches(user):
		return True
	run = frappe.db.get_value("Dogan Run", doc.run, ["user", "owner"])
	return bool(run) and user in run


def run_query(user: str | None = None) -> str:
	user = user or frappe.session.user
	return "" if _watches(user) else _own_runs(user)


def task_query(user: str | None = None) -> str:
	user = user or frappe.session.user
	if _watches(user):
		return ""
	return f"`tabDogan Task`.`run` in (select `name` from `tabDogan Run` where {_own_runs(user)})"


def has_app_permission() -> bool:
	"""Whether the app is offered on the apps screen."""
	return _watches(frappe.session.user)


def _own_runs(user: str) -> str:
	name = frappe.db.escape(user)
	return f"(`tabDogan Run`.`user` = {name} or `tabDogan Run`.`owner` = {name})"


def _watches(user: str) -> bool:
	return user == "Administrator" or not WATCHERS.isdisjoint(frappe.get_roles(user))
