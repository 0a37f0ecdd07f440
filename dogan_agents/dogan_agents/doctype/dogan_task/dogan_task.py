from frappe.model.document import Document

from dogan_agents.engine.ids import task_name
from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.schema import apply_indexes


class DoganTask(Document):
	def autoname(self):
		self.name = task_name(self.run, self.step, self.item or 0)

	def validate(self):
		refuse_by_hand(self)

	def on_trash(self):
		refuse_by_hand(self)


def on_doctype_update() -> None:
	apply_indexes("Dogan Task")
