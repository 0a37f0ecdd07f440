"""The workers of a node: started, asked to stop, replaced when they die. The only place that does so."""

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from dogan_agents.cluster.processes import children, kill_tree

PATIENCE = 600.0  # seconds that a worker may take to finish what it does when there are too many
STEADY = 10.0  # seconds after which a worker that ends did not fail at its start
FIRST_DELAY, LONGEST_DELAY = 0.2, 10.0  # seconds before who died at once is replaced


@dataclass(frozen=True, slots=True)
class Kind:
	"""What a worker was started for."""

	queues: tuple[str, ...]
	generation: int = 0


@dataclass(slots=True)
class Worker:
	pid: int
	kind: Kind
	started: float
	deadline: float | None = None  # it was asked to stop, and is killed then

	@property
	def is_busy(self) -> bool:
		"""RQ forks for each job."""
		return bool(children(self.pid))


class Crew:
	def __init__(self, start: Callable[[Kind], int]):
		self._start = start
		self._workers: dict[int, Worker] = {}
		self._failures = 0
		self._not_before = 0.0

	def __len__(self) -> int:
		"""With those that have been asked to stop."""
		return len(self._workers)

	@property
	def staying(self) -> list[Worker]:
		return [worker for worker in self._workers.values() if worker.deadline is None]

	def busy(self) -> int:
		return sum(worker.is_busy for worker in self.staying)

	def keep(self, wanted: int, kind: Kind, now: float) -> None:
		"""Have `wanted` workers of a kind: idle ones and the youngest go first, and others of another kind."""
		for worker in self.staying:
			if worker.kind != kind:
				self._ask(worker, now + PATIENCE)
		surplus = len(self.staying) - wanted
		if surplus > 0:
			for worker in sorted(self.staying, key=lambda each: (each.is_busy, -each.started))[:surplus]:
				self._ask(worker, now + PATIENCE)
		while len(self.staying) < wanted and now >= self._not_before:
			pid = self._start(kind)
			self._workers[pid] = Worker(pid, kind, now)
			if self._failures:
				self._not_before = now + self._delay()  # one at a time until one is steady

	def ended(self, pid: int, now: float) -> None:
		worker = self._workers.pop(pid, None)
		if worker and worker.deadline is None:
			self._failures = self._failures + 1 if now - worker.started < STEADY else 0
			self._not_before = now + self._delay()

	def stop(self, deadline: float) -> None:
		for worker in self._workers.values():
			if worker.deadline is None:
				self._ask(worker, deadline)
			worker.deadline = min(worker.deadline or deadline, deadline)

	def kill_late(self, now: float) -> None:
		for worker in self._workers.values():
			if worker.deadline is not None and now >= worker.deadline:
				kill_tree(worker.pid)

	def _ask(self, worker: Worker, deadline: float) -> None:
		"""For RQ a SIGTERM is a warm stop; a second one would be a cold one."""
		worker.deadline = deadline
		with contextlib.suppress(ProcessLookupError):
			os.kill(worker.pid, signal.SIGTERM)

	def _delay(self) -> float:
		return min(FIRST_DELAY * 2**self._failures, LONGEST_DELAY)
