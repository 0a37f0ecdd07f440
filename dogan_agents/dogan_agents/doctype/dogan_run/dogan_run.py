import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.engine.ids import new_id
from dogan_agents.engine.states import RUN_ENDED, RunStatus
from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.retention import clear_runs
from dogan_agents.host.schema import apply_indexes


class DoganRun(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		blocked_on: DF.Data | None
		ended_at: DF.Datetime | None
		error: DF.LongText | None
		failing: DF.Check
		fair_key: DF.Data | None
		idempotency_digest: DF.Data | None
		idempotency_key: DF.Data | None
		input: DF.JSON | None
		output: DF.JSON | None
		priority: DF.Int
		queue_key: DF.Int
		reference_doctype: DF.Link | None
		reference_name: DF.DynamicLink | None
		started_at: DF.Datetime | None
		status: DF.Literal["Queued", "Running", "Waiting", "Completed", "Failed", "Cancelled", "Compensated"]
		tasks_active: DF.Int
		tasks_open: DF.Int
		tasks_total: DF.Int
		trigger: DF.Data | None
		user: DF.Link | None
		version: DF.Link | None
		workflow: DF.Link | None

	# end: auto-generated types
	def autoname(self):
		self.name = new_id()

	def validate(self):
		refuse_by_hand(self)

	def on_trash(self):
		self.refuse_unless_ended()
		frappe.db.delete("Dogan Task", {"run": self.name})
		frappe.db.delete("Dogan State", {"scope_type": "Run", "scope": self.name})

	def refuse_unless_ended(self):
		if RunStatus(self.status) not in RUN_ENDED:
			frappe.throw(
				_("Run {0} is {1}. Cancel it first, then delete it.").format(
					frappe.bold(self.name), _(self.status)
				)
			)

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		clear_runs(days)


def on_doctype_update() -> None:
	apply_indexes("Dogan Run")
