"""How evenly equal nodes share equal steps: what the busiest performed, in percent of the mean."""

from collections import Counter

from benchmarks.lab.outside import Outside
from benchmarks.program import main
from dogan_agents.engine.sql import TASK, marks


class Evenness(Outside):
	def measure(self, runs: range) -> float:
		names = self.perform(runs)
		shares = Counter(
			dict(
				self.db.query(
					f"SELECT node, COUNT(*) FROM {TASK} WHERE run IN ({marks(names)}) GROUP BY node", names
				)
			)
		)
		return 100 * max(shares.values()) * self.settings.nodes / shares.total()


if __name__ == "__main__":
	main(Evenness)
