from frappe.model.document import Document


class DoganAgentAction(Document):
	pass
