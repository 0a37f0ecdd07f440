"""Document events start workflows."""

from typing import Any

import frappe
from frappe.model.document import Document

from dogan_agents.triggers.fire import fire
from dogan_agents.triggers.lookup import Trigger, document_key, find, forget_after_commit

OWN = "Dogan "
UNSETTLED = ("in_install", "in_migrate", "in_patch", "in_uninstall", "in_setup_wizard")


def handle(doc: Document, method: str) -> None:
	"""Hooked to every event of every document: what follows the first line is for those that somebody waits for."""
	for trigger in _triggers(doc, method):
		if not _is_own_work(trigger):
			_start(trigger, doc, method)


def workflow_changed(doc: Document, method: str) -> None:
	"""Hooked to Dogan Workflow and Dogan Agent."""
	forget_after_commit()


def _triggers(doc: Document, method: str) -> list[Trigger]:
	if doc.doctype.startswith(OWN) or any(map(frappe.local.flags.get, UNSETTLED)):
		return []
	try:
		return find(document_key(doc.doctype, method))
	except Exception:
		# Before our tables exist, or without Redis: a document must be saved all the same.
		frappe.logger("dogan_agents").error("triggers could not be looked up", exc_info=True)
		return []


def _is_own_work(trigger: Trigger) -> bool:
	"""A step of this very workflow is saving the document: it would go on for ever."""
	step: Any = frappe.flags.dogan_step
	return bool(step) and step.run["workflow"] == trigger.workflow


def _start(trigger: Trigger, doc: Document, method: str) -> None:
	fire(
		trigger,
		doc,
		{"doctype": doc.doctype, "name": doc.name, "event": method},
		users=(frappe.session.user, trigger.agent_user, trigger.saved_by),
		trigger="document",
		reference_doctype=doc.doctype,
		reference_name=str(doc.name),
	)
