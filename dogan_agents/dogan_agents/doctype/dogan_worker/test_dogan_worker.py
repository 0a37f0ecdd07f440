import frappe
from frappe.utils import add_days, now_datetime

from dogan_agents.dogan_agents.doctype.dogan_worker.dogan_worker import DoganWorker
from dogan_agents.dogan_agents.factories import DoganTestCase


class TestDoganWorker(DoganTestCase):
	def test_rows_of_workers_long_gone_are_cleared(self):
		names = {status: self.make_worker(status) for status in ("Idle", "Busy", "Dead", "Stopped")}
		DoganWorker.clear_old_logs(days=7)
		left = {status for status, name in names.items() if frappe.db.exists("Dogan Worker", name)}
		self.assertEqual(left, {"Idle", "Busy"})

	def make_worker(self, status: str) -> str:
		worker = frappe.get_doc(
			doctype="Dogan Worker",
			name=f"worker-{frappe.generate_hash(length=8)}",
			status=status,
			last_seen=add_days(now_datetime(), -30),
		)
		worker.flags.by_engine = True
		return worker.insert().name
