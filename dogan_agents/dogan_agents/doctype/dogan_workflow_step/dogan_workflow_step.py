from frappe.model.document import Document


class DoganWorkflowStep(Document):
	pass
