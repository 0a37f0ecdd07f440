"""Two ordinary bench workers on a queue Redis of their own, so that no other worker takes their jobs."""

import os
import sys
from pathlib import Path

from frappe.utils.background_jobs import get_redis_conn
from rq import Worker

from benchmarks.places import BENCH
from benchmarks.program import Settings
from dogan_agents.lab.process import Server

QUEUE = "default"
QUEUE_REDIS = "FRAPPE_REDIS_QUEUE"  # Frappe prefers it to the bench's configuration


class BenchWorkers:
	def __init__(self, settings: Settings) -> None:
		os.environ.pop("CI", None)  # in a worker it means in_test
		self.workers = [self._worker(number, settings.scratch) for number in range(settings.processes)]

	def start(self) -> None:
		for worker in self.workers:
			worker.start()

	def stop(self) -> None:
		for worker in self.workers:
			worker.stop()

	def _worker(self, number: int, scratch: Path) -> Server:
		bench = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe"]
		command = ["env", f"--chdir={BENCH / 'sites'}", *bench, "worker", "--queue", QUEUE, "--quiet"]
		return Server(f"worker-{number}", command, scratch, lambda: _waiting() > number)


def _waiting() -> int:
	"""How many workers there are; Redis is ours alone."""
	return int(Worker.count(get_redis_conn()))
