from frappe.model.document import Document

from dogan_agents.host.guard import refuse_by_hand


class DoganLease(Document):
	def validate(self):
		refuse_by_hand(self)
