"""What a site needs besides the DocTypes. Everything here may be done again at any time."""

import frappe

ROLES = ("Dogan Manager", "Dogan Operator")
POOLS = {
	"default": ("default", "Quick steps: documents of the ERP, decisions, lookups."),
	"mail": ("short", "Incoming and outgoing mail."),
	"documents": ("long", "Printed and generated documents."),
	"llm": ("long", "Calls of language models."),
}


def before_install() -> None:
	"""Frappe may still go by the modules that it had found in Redis before the app came to the bench."""
	frappe.setup_module_map()


def after_install() -> None:
	ensure_roles()
	ensure_pools(POOLS)
	ensure_settings()


def after_migrate() -> None:
	"""Not the other pools: who has deleted one does not want it back."""
	ensure_roles()
	ensure_pools(("default",))
	ensure_settings()


def before_uninstall() -> None:
	"""Take away what would go on calling or naming the app, and its roles."""
	frappe.db.delete("Scheduled Job Type", {"method": ("like", "dogan_agents.%")})
	frappe.db.delete("Logs To Clear", {"ref_doctype": ("like", "Dogan %")})
	frappe.db.delete("Singles", {"doctype": "Dogan Settings"})
	for role in ROLES:
		frappe.db.delete("Has Role", {"role": role})
		frappe.delete_doc_if_exists("Role", role, force=True)


def ensure_roles() -> None:
	for role in ROLES:
		if not frappe.db.exists("Role", role):
			frappe.get_doc(doctype="Role", role_name=role, desk_access=1).insert(ignore_permissions=True)


def ensure_pools(names) -> None:
	for name in names:
		if not frappe.db.exists("Dogan Pool", name):
			queue, description = POOLS[name]
			frappe.get_doc(doctype="Dogan Pool", pool_name=name, queue=queue, description=description).insert(
				ignore_permissions=True
			)


def ensure_settings() -> None:
	"""Write the defaults down, also of fields that are new: the engine reads rows, not a form's defaults."""
	known = frappe.db.get_singles_dict("Dogan Settings")
	for field in frappe.get_meta("Dogan Settings").fields:
		if field.default is not None and field.fieldname not in known:
			frappe.db.set_single_value("Dogan Settings", field.fieldname, field.default)
