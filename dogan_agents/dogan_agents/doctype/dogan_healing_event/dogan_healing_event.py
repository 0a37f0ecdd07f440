import frappe
from frappe.model.document import Document
from frappe.utils import add_days, now_datetime

from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.schema import apply_indexes


class DoganHealingEvent(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		began: DF.Int
		count: DF.Int
		done: DF.SmallText | None
		first_seen: DF.Datetime | None
		happened: DF.Int
		helped: DF.Literal["Unknown", "Yes", "No"]
		kind: DF.Literal[
			"Worker Died",
			"Tasks Orphaned",
			"Task Parked",
			"Wake-up Lost",
			"Reservation Lost",
			"Leader Lost",
			"Tasks Re-placed",
			"Deadlock",
			"Late Write Refused",
			"Database Lost",
			"Redis Lost",
			"Redis Wiped",
			"Node Late",
			"Node Died",
			"Agent Failing",
			"Scheduler Silent",
			"Lock Released",
		]
		last_seen: DF.Datetime | None
		node: DF.Data | None
		seen: DF.SmallText | None
		subject: DF.Data | None
		told: DF.Check
		watch: DF.SmallText | None

	# end: auto-generated types
	def validate(self):
		refuse_by_hand(self)

	def on_trash(self):
		refuse_by_hand(self)

	@staticmethod
	def clear_old_logs(days: int = 30) -> None:
		frappe.db.delete("Dogan Healing Event", {"last_seen": ("<", add_days(now_datetime(), -days))})


def on_doctype_update() -> None:
	apply_indexes("Dogan Healing Event")
