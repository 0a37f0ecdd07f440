"""A workflow that is not saved, and why."""

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import escape_html

from dogan_agents.engine.errors import SpecError

FIELDNAMES = {"workflow": "workflow_name"}  # where the definition's word is not the form's


class TriggerError(SpecError):
	"""A workflow's trigger is wrong at one place: `row`, `field`, `reason`."""

	def __init__(self, reason: str, *, row: int, field: str):
		super().__init__(reason, field=field)
		self.row = row


class WorkflowRefused(frappe.ValidationError):
	"""Says where the fault is: `table` and `row` (None for the workflow itself), `field`; and the `reason`."""

	def __init__(self, message: str, *, table: str | None, row: int | None, field: str, reason: str):
		self.table, self.row, self.field, self.reason = table, row, field, reason
		super().__init__(message)


def refuse(workflow: Document, error: SpecError) -> None:
	"""Throw `error` with the row and the label that the person sees on the form."""
	table, row = _place(workflow, error)
	fieldname = FIELDNAMES.get(error.field, error.field)
	meta = frappe.get_meta(workflow.meta.get_options(table)) if table else workflow.meta
	label = _(meta.get_label(fieldname)) if fieldname else _(workflow.doctype)
	where = frappe.bold(label)
	if table == "steps":
		where = _("Step {0} ({1}), {2}").format(row, escape_html(error.step), where)
	elif table:
		where = _("Trigger {0}, {1}").format(row, where)
	message = f"{where}: {escape_html(_(error.reason))}"
	frappe.throw(
		message,
		WorkflowRefused(message, table=table, row=row, field=fieldname, reason=error.reason),
		title=_("Workflow Not Saved"),
	)


def _place(workflow: Document, error: SpecError) -> tuple[str | None, int | None]:
	if isinstance(error, TriggerError):
		return "triggers", error.row
	if not error.step:
		return None, None
	rows = [row.idx for row in workflow.steps if error.step in (row.step, f"#{row.idx}")]
	return "steps", rows[-1] if error.field == "step" else rows[0]
