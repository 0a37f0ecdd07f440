"""Work W on the engine, started a hundred runs at a time."""

from benchmarks.lab.diamond import Diamond
from benchmarks.program import main

AT_A_TIME = 100


class DiamondBulk(Diamond):
	def submit_all(self, runs: range) -> list[str]:
		parts = [runs[first : first + AT_A_TIME] for first in range(0, len(runs), AT_A_TIME)]
		return [name for part in parts for name in self.submit_many(part)]


if __name__ == "__main__":
	main(DiamondBulk)
