import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.engine.ids import new_id
from dogan_agents.engine.states import RUN_ENDED, RunStatus
from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.retention import clear_runs
from dogan_agents.host.schema import apply_indexes


class DoganRun(Document):
	def autoname(self):
		self.name = new_id()

	def validate(self):
		refuse_by_hand(self)

	def on_trash(self):
		self.refuse_unless_ended()
		frappe.db.delete("Dogan Task", {"run": self.name})

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
