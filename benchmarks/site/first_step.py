"""Milliseconds from just before `start_run` to the moment the run's first step begins, by the database's clock."""

from statistics import median

import frappe

from benchmarks.program import wait_until
from benchmarks.site.program import SiteProgram
from dogan_agents.engine.clock import DatabaseClock
from dogan_agents.host.frappe import site_host


class FirstStep(SiteProgram):
	"""Base: one run after the other, each when `ready` says so; the median."""

	steps = ({"step": "a", "action": "set_values", "input": {"values": {"value": 1}}},)

	def ready(self) -> None:
		raise NotImplementedError

	def measure(self, runs: range) -> float:
		clock = DatabaseClock()
		return median(self._sample(number, clock) for number in runs)

	def _sample(self, number: int, clock: DatabaseClock) -> float:
		self.ready()
		host, aim = site_host(), self.completed() + 1
		began = host.local(clock.now(host.work))
		name = self.submit_and_commit({"number": number})
		wait_until(lambda: self.completed() >= aim, "the run")
		started_at = frappe.db.get_value("Dogan Task", {"run": name}, "started_at")
		return (started_at - began).total_seconds() * 1000
