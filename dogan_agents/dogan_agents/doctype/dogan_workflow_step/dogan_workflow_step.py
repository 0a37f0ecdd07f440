from frappe.model.document import Document


class DoganWorkflowStep(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		action: DF.Autocomplete
		agent: DF.Link | None
		concurrency_key: DF.Data | None
		concurrency_limit: DF.Int
		condition: DF.Code | None
		depends_on: DF.SmallText | None
		input: DF.Code | None
		max_attempts: DF.Int
		on_failure: DF.Literal["Fail", "Continue"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		placement: DF.Literal["", "Round Robin", "Least Loaded", "Weighted", "Node", "Label", "Affinity"]
		placement_required: DF.Check
		placement_value: DF.Data | None
		pool: DF.Link | None
		retry_delay: DF.Int
		step: DF.Data
		timeout: DF.Int
	# end: auto-generated types
