"""Milliseconds from just before `start` to the moment its first step runs, by the database's clock; the median."""

from statistics import median
from typing import Any

from benchmarks.lab.program import LabProgram
from benchmarks.program import wait_until
from dogan_agents.engine.sql import RUN, TASK

DEFINITION: dict[str, Any] = {"workflow": "single", "steps": [{"step": "a", "action": "trivial"}]}


class FirstStep(LabProgram):
	"""Base: one run after the other, each when `ready` says so."""

	definition = DEFINITION

	def ready(self) -> None:
		raise NotImplementedError

	def measure(self, runs: range) -> float:
		return median(self._sample(number) for number in runs)

	def _sample(self, number: int) -> float:
		self.ready()
		began = self.host.local(self.clock.now(self.db))
		name = self.submit(number)
		status = f"SELECT 1 FROM {RUN} WHERE name = %s AND status = 'Completed'"
		wait_until(lambda: self.db.query(status, (name,)), "the run", every=0.002)
		started_at = self.db.query(f"SELECT started_at FROM {TASK} WHERE run = %s", (name,))[0][0]
		return (started_at - began).total_seconds() * 1000
