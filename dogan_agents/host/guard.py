"""Records that only the engine writes."""

import frappe
from frappe import _
from frappe.model.document import Document


class ReadOnlyRecord(frappe.ValidationError):
	pass


def refuse_by_hand(doc: Document) -> None:
	"""Throw unless the engine, or a test, has said that the write is its own."""
	if not doc.flags.by_engine:
		frappe.throw(
			_("{0} is kept by the orchestrator and cannot be changed by hand.").format(
				frappe.bold(_(doc.doctype))
			),
			ReadOnlyRecord,
		)


def refuse_while_open(field: str, doc: Document) -> None:
	"""Throw when tasks that have not ended still need `doc`, named in their `field`."""
	from dogan_agents.engine.states import TASK_ENDED

	open_task = frappe.db.get_value(
		"Dogan Task",
		{field: doc.name, "status": ("not in", [status.value for status in TASK_ENDED])},
		["name", "run"],
		as_dict=True,
		order_by=None,
	)
	if open_task:
		frappe.throw(
			_("{0} {1} cannot be deleted: run {2} still has work for it.").format(
				_(doc.doctype), frappe.bold(doc.name), frappe.bold(open_task.run)
			),
			frappe.LinkExistsError,
		)
