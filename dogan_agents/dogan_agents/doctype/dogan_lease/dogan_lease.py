from frappe.model.document import Document

from dogan_agents.host.guard import refuse_by_hand


class DoganLease(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		expires: DF.Int
		holder: DF.Data | None
		silent: DF.Data | None
		token: DF.Int

	# end: auto-generated types
	def validate(self):
		refuse_by_hand(self)
