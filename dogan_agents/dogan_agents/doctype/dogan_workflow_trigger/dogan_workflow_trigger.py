from frappe.model.document import Document


class DoganWorkflowTrigger(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		condition: DF.Code | None
		cron: DF.Data | None
		document_event: DF.Literal[
			"", "after_insert", "on_update", "on_submit", "on_cancel", "on_update_after_submit", "on_trash"
		]
		document_type: DF.Link | None
		email_account: DF.Link | None
		enabled: DF.Check
		input: DF.Code | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		sender_pattern: DF.Data | None
		subject_pattern: DF.Data | None
		trigger_type: DF.Literal["Mail", "Document Event", "Schedule"]
	# end: auto-generated types
