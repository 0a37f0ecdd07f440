"""Work W on some nodes; each step waits 50 ms for something outside. As much work for each node."""

from typing import Any

from benchmarks.lab.diamond_bulk import DiamondBulk
from benchmarks.lab.program import LabProgram
from benchmarks.program import main, timed_steps, wait_until

SECONDS = 0.05


def definition(placement: str) -> dict[str, Any]:
	depends_on = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
	return {
		"workflow": "outside",
		"placement": placement,
		"steps": [
			{"step": step, "action": "pause", "input": {"seconds": SECONDS}, "depends_on": before}
			for step, before in depends_on.items()
		],
	}


class Outside(LabProgram):
	def start(self) -> None:
		self.definition = definition(self.settings.placement)
		super().start()

	def measure(self, runs: range) -> float:
		several = range(runs.start, runs.start + len(runs) * self.settings.nodes)
		return timed_steps(several, lambda: self.perform(several))

	def perform(self, runs: range) -> list[str]:
		"""Start them all, and wait until they are complete; their names."""
		aim = self.completed() + len(runs)
		names = self.submit_all(runs)
		wait_until(lambda: self.completed() >= aim, "the runs", every=0.05)
		return names

	submit_all = DiamondBulk.submit_all


if __name__ == "__main__":
	main(Outside)
