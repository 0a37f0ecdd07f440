"""Who may let work be done in whose name."""

import frappe
from frappe import _
from frappe.model.document import Document

FORBIDDEN = ("Administrator", "Guest")


def check_acting_user(doc: Document, fieldname: str) -> None:
	"""Refuse an acting user that nobody may choose, or that the person who saves may not choose."""
	user = doc.get(fieldname)
	if not user:
		return
	label = _(doc.meta.get_label(fieldname))
	if user in FORBIDDEN:
		frappe.throw(_("{0}: {1} may not be chosen.").format(frappe.bold(label), user))
	if not frappe.db.get_value("User", user, "enabled"):
		frappe.throw(_("{0}: the user {1} is disabled.").format(frappe.bold(label), user))
	if user != frappe.session.user and "System Manager" not in frappe.get_roles():
		frappe.throw(
			_("{0}: only a System Manager may save what acts as another user ({1}).").format(
				frappe.bold(label), user
			),
			frappe.PermissionError,
		)
