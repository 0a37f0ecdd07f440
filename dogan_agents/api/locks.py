"""Locks over HTTP: /api/method/dogan_agents.api.locks.<name>."""

import frappe
from frappe import _

from dogan_agents.host import locks

MANAGERS = ("Dogan Manager", "System Manager")


@frappe.whitelist(methods=["POST"])
def release(name: str) -> None:
	"""Take a lock from whoever holds it. He notices it at his next renewal; only the fence stops him before."""
	frappe.only_for(MANAGERS, message=True)
	if not locks.force(name):
		frappe.throw(
			_("Nobody holds the lock {0} any more.").format(frappe.bold(name)), frappe.DoesNotExistError
		)
