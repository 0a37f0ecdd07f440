from frappe.model.document import Document

from dogan_agents.engine.ids import task_name
from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.schema import apply_indexes


class DoganTask(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		action: DF.Data | None
		agent: DF.Link | None
		attempt: DF.Int
		blocked_on: DF.Data | None
		crashes: DF.Int
		due: DF.Int
		duration: DF.Float
		ended_at: DF.Datetime | None
		error: DF.LongText | None
		error_kind: DF.Data | None
		external: DF.Check
		fair_key: DF.Data | None
		input: DF.JSON | None
		item: DF.Int
		lease_token: DF.Int
		limit_key: DF.Data | None
		node: DF.Data | None
		output: DF.JSON | None
		pinned: DF.Check
		place: DF.SmallText | None
		pool: DF.Link | None
		ready_at: DF.Datetime | None
		ready_key: DF.Int
		run: DF.Link | None
		running_on: DF.Data | None
		started_at: DF.Datetime | None
		status: DF.Literal[
			"Pending",
			"Ready",
			"Running",
			"Completed",
			"Failed",
			"Skipped",
			"Cancelled",
			"Parked",
			"Waiting",
			"Blocked",
		]
		step: DF.Data | None
		target: DF.Data | None
		waited_until: DF.Int
		waiting_on: DF.Int
		worker: DF.Data | None
		workflow: DF.Link | None

	# end: auto-generated types
	def autoname(self):
		self.name = task_name(self.run, self.step, self.item or 0)

	def validate(self):
		refuse_by_hand(self)

	def on_trash(self):
		refuse_by_hand(self)


def on_doctype_update() -> None:
	apply_indexes("Dogan Task")
