"""Who may do what through the API."""

import frappe
from frappe import _

OPERATORS = ("Dogan Operator", "Dogan Manager", "System Manager")


def require_operator() -> None:
	"""A workflow may act in another user's name, so that being allowed to read it is not enough to start it."""
	if not set(OPERATORS) & set(frappe.get_roles()):
		frappe.throw(
			_("This needs one of the roles {0}.").format(", ".join(_(role) for role in OPERATORS)),
			frappe.PermissionError,
		)


def require_read(doctype: str, name: str | int) -> None:
	"""The document exists and the session's user may read it."""
	frappe.get_doc(doctype, name).check_permission("read")


def starts_a_minute() -> int:
	"""How many runs one address may start, retry or cancel in a minute: `dogan_rate_limit` in the site's config."""
	return int(frappe.conf.dogan_rate_limit or 1200)
