"""Steps a second while a hundred thousand ready tasks are worked off; RQ jobs and a worker's memory meanwhile."""

import time
from collections.abc import Iterator
from typing import Any

import psutil
from rq import Queue
from rq.registry import StartedJobRegistry

from benchmarks.lab.program import POOL, LabProgram
from benchmarks.program import Stuck, main
from dogan_agents.engine.admit import admit
from dogan_agents.engine.sql import TASK, transaction

STEPS = 200  # ready at once in each run
AT_A_TIME = 50  # runs
MOST_JOBS = 50
LOOK = 0.5  # seconds
LONGEST = 600.0
DEFINITION: dict[str, Any] = {
	"workflow": "wide",
	"steps": [{"step": f"s{number}", "action": "trivial"} for number in range(STEPS)],
}


class Backlog(LabProgram):
	definition = DEFINITION

	def start(self) -> None:
		super().start()
		self.jobs = 0
		self.memory: list[float] = []
		self.set_pool(time_slice=int(LONGEST))  # one drain for the whole backlog, to see its memory

	def notes(self) -> list[str]:
		early, late = self.memory[len(self.memory) // 5], self.memory[-1]
		return [
			f"{self.jobs} RQ jobs at most; a worker's memory {early:.0f} MiB early, {late:.0f} MiB at the end"
		]

	def measure(self, runs: range) -> float:
		self._pile_up(runs)
		began, wanted = time.perf_counter(), len(runs) * STEPS
		self.set_pool(enabled=1)
		self.host.hands.wake(POOL)
		while (left := self._ready()) and time.perf_counter() - began < LONGEST:
			self._watch()
			time.sleep(LOOK)
		elapsed = time.perf_counter() - began
		if left:
			raise Stuck(f"{left} of {wanted} tasks are still ready after {elapsed:.0f} s")
		assert self.jobs <= MOST_JOBS, f"{self.jobs} RQ jobs"
		return wanted / elapsed

	def _pile_up(self, runs: range) -> None:
		"""Admitted and ready, while the pool is switched off."""
		self.set_pool(enabled=0)
		time.sleep(3)  # hosts keep a pool's settings for two
		for first in range(0, len(runs), AT_A_TIME):
			self.submit_many(runs[first : first + AT_A_TIME])
			with transaction(self.db):
				admit(self.host, self.db, AT_A_TIME, self.clock.now(self.db))
		ready, wanted = self._ready(), len(runs) * STEPS
		assert ready == wanted, f"{ready} of {wanted} tasks are ready"

	def _ready(self) -> int:
		return int(
			self.db.query(f"SELECT COUNT(*) FROM {TASK} WHERE pool = %s AND ready_key > 0", (POOL,))[0][0]
		)

	def _watch(self) -> None:
		queue = Queue(POOL, connection=self.host.redis)
		self.jobs = max(self.jobs, queue.count + StartedJobRegistry(queue=queue).count)
		self.memory.append(max(self._drains(), default=0.0))

	def _drains(self) -> Iterator[float]:
		"""MiB of each RQ job's process: the workers' own children."""
		for pid in self.nodes[0].workers():
			for child in psutil.Process(pid).children():
				yield child.memory_info().rss / 2**20


if __name__ == "__main__":
	main(Backlog)
