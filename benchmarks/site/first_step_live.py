"""The first step of a run when a drain is at work and waits for more."""

import time

from benchmarks.program import main
from benchmarks.site.first_step import FirstStep

PAUSE = 0.3  # seconds; a drain waits two for more work


class FirstStepLive(FirstStep):
	def ready(self) -> None:
		time.sleep(PAUSE)


if __name__ == "__main__":
	main(FirstStepLive)
