from frappe.model.document import Document


class DoganWorkflowTrigger(Document):
	pass
