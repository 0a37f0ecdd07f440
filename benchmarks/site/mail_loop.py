"""A bare loop over incoming messages: ERPNext's own function, and a commit each."""

import time

import frappe
from erpnext.crm.doctype.lead.lead import make_lead_from_communication

from benchmarks.program import Program, Settings, main
from benchmarks.site import messages
from benchmarks.site.connection import connected_site


class MailLoop(Program):
	packages = ("frappe", "erpnext")

	def __init__(self, settings: Settings) -> None:
		self.site = connected_site()

	def start(self) -> None:
		self.site.__enter__()

	def stop(self) -> None:
		self.site.__exit__(None, None, None)

	def measure(self, runs: range) -> float:
		communications = messages.receive(runs)
		began = time.perf_counter()
		for communication in communications:
			make_lead_from_communication(communication)
			frappe.db.commit()
		elapsed = time.perf_counter() - began
		try:
			messages.check(communications)
		finally:
			messages.remove(communications)
		return len(communications) / elapsed


if __name__ == "__main__":
	main(MailLoop)
