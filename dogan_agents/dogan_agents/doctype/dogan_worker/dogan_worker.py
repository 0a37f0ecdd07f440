from frappe.model.document import Document

from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.retention import clear_workers
from dogan_agents.host.schema import apply_indexes


class DoganWorker(Document):
	def validate(self):
		refuse_by_hand(self)

	@staticmethod
	def clear_old_logs(days: int = 7) -> None:
		clear_workers(days)


def on_doctype_update() -> None:
	apply_indexes("Dogan Worker")
