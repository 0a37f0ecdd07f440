from frappe.model.document import Document

from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.retention import clear_workers
from dogan_agents.host.schema import apply_indexes


class DoganWorker(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		busy: DF.Check
		connections: DF.Data | None
		expires: DF.Int
		last_seen: DF.Datetime | None
		node: DF.Data | None
		pid: DF.Int
		pool: DF.Data | None
		rq_worker: DF.Data | None
		started_at: DF.Datetime | None
		status: DF.Literal["Idle", "Busy", "Dead", "Stopped"]
		tasks_done: DF.Int

	# end: auto-generated types
	def validate(self):
		refuse_by_hand(self)

	@staticmethod
	def clear_old_logs(days: int = 7) -> None:
		clear_workers(days)


def on_doctype_update() -> None:
	apply_indexes("Dogan Worker")
