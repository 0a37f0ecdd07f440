"""The engine on the site: a workflow and a pool of its own, and two ordinary bench workers."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import frappe

from benchmarks.program import Program, Settings
from benchmarks.site.connection import connected_site
from benchmarks.site.workers import QUEUE, QUEUE_REDIS, BenchWorkers
from dogan_agents.engine import payload
from dogan_agents.host.frappe import start_run

NAME = "Benchmark"  # of the workflow and of the pool
BATCH = 1000


class SiteProgram(Program):
	"""Base of our programs on a site. Nobody but our workers hears of the pool: their queue Redis is their own."""

	packages = ("frappe", "erpnext", "rq")
	steps: tuple[dict[str, Any], ...]
	idle_seconds = 2

	def __init__(self, settings: Settings) -> None:
		os.environ[QUEUE_REDIS] = settings.redis
		self.settings = settings
		self._stack = ExitStack()

	def start(self) -> None:
		self._stack.enter_context(connected_site())
		self._stack.callback(remove)
		remove()
		self._define()
		workers = BenchWorkers(self.settings)
		self._stack.callback(workers.stop)
		workers.start()

	def stop(self) -> None:
		self._stack.close()

	def submit(self, data: dict[str, Any]) -> str:
		"""Start one run in the transaction that is open; its name."""
		return start_run(NAME, data)["run"]

	def submit_and_commit(self, data: dict[str, Any]) -> str:
		run = self.submit(data)
		frappe.db.commit()
		return run

	def completed(self) -> int:
		frappe.db.rollback()  # else the snapshot stays what it was
		return int(frappe.db.count("Dogan Run", {"workflow": NAME, "status": "Completed"}))

	def outputs(self, names: Sequence[str]) -> dict[str, Any]:
		"""What each of these runs gave."""
		frappe.db.rollback()
		rows = frappe.get_all("Dogan Run", {"name": ["in", names]}, ["name", "output"], order_by="name")
		return {row.name: payload.loads(row.output) for row in rows}

	def _define(self) -> None:
		frappe.get_doc(
			doctype="Dogan Pool", pool_name=NAME, queue=QUEUE, idle_seconds=self.idle_seconds
		).insert()
		steps = [{**step, "input": frappe.as_json(step["input"])} for step in self.steps]
		frappe.get_doc(doctype="Dogan Workflow", workflow_name=NAME, pool=NAME, steps=steps).insert()
		frappe.db.commit()


def remove() -> None:
	"""The workflow with its runs, and the pool; from a benchmark that was killed, too."""
	frappe.db.rollback()
	while names := frappe.get_all("Dogan Run", {"workflow": NAME}, pluck="name", limit=BATCH):
		frappe.db.delete("Dogan Task", {"run": ["in", names]})
		frappe.db.delete("Dogan Run", {"name": ["in", names]})
		frappe.db.commit()
	for doctype in ("Dogan Workflow", "Dogan Pool"):
		frappe.delete_doc(doctype, NAME, force=True, ignore_missing=True)
	frappe.db.commit()
