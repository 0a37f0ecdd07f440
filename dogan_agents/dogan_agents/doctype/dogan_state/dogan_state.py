from frappe.model.document import Document

from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.schema import apply_indexes


class DoganState(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		key: DF.Data
		revision: DF.Int
		scope: DF.Data
		scope_type: DF.Literal["Run", "Workflow"]
		value: DF.JSON | None

	# end: auto-generated types
	def validate(self):
		refuse_by_hand(self)


def on_doctype_update() -> None:
	apply_indexes("Dogan State")
