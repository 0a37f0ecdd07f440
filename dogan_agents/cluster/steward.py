"""The process of a node that talks to the database: it beats the heart, sweeps, and tells what is wanted."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from dogan_agents.cluster.demand import waiting_tasks
from dogan_agents.cluster.node import BEAT_SECONDS, watch
from dogan_agents.cluster.pool import Demand
from dogan_agents.cluster.processes import children
from dogan_agents.cluster.registration import NodeRow, Wishes
from dogan_agents.cluster.sample import Sample, Sampler
from dogan_agents.engine.lease import Every, lead, step_down
from dogan_agents.engine.ports import Host
from dogan_agents.engine.sweep import sweep

TURN_SECONDS = 1.0
LEAVE = signal.SIGUSR1
SIGNALS = (LEAVE, signal.SIGTERM)
OUTAGE_SECONDS = 3.0  # without Redis, after which RQ's workers may sleep for a minute before they try again


@dataclass(frozen=True, slots=True)
class Orders:
	"""What the supervisor goes by until it hears of others."""

	queues: tuple[str, ...]
	demand: Demand
	generation: int = 0  # workers of an older one are replaced
	leave: bool = False  # another node has the name

	def encode(self) -> bytes:
		return json.dumps(asdict(self)).encode() + b"\n"

	@classmethod
	def decode(cls, line: bytes) -> "Orders":
		data = json.loads(line)
		return cls(tuple(data["queues"]), Demand(**data["demand"]), data["generation"], data["leave"])


class Steward:
	"""`jobs` counts what waits in RQ's queues, of these names; `sweeps` says whether the sweep may be done now."""

	def __init__(
		self,
		host: Host,
		row: NodeRow,
		jobs: Callable[[Sequence[str]], int],
		sweeps: Callable[[], bool] = lambda: True,
	):
		self.host, self.row, self.jobs, self.sweeps = host, row, jobs, sweeps
		self._sampler = Sampler()
		self._sample = Sample()
		self._may_sweep = sweeps()
		self._leaving = False
		self._superseded = False
		self._jobs_since = 0.0  # since when there have been jobs in the queues
		self._waiting_jobs = 0
		self._silent_since: float | None = None  # since when Redis has not answered
		self._generation = 0

	def run(self, pipe: int) -> None:
		"""Write orders to `pipe` each second until asked to stop, or until nobody reads them."""
		signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
		if not self._register():
			return
		with Every(self.host, BEAT_SECONDS, self._beat), Every(self.host, TURN_SECONDS, self._sweep):
			self._attend(pipe)
		with contextlib.suppress(Exception):  # without the database there is nobody to tell
			step_down(self.host.own, self.row.incarnation)
			self.row.stop(self.host.own)

	def _register(self) -> bool:
		"""Try until it succeeds; False when asked to stop before."""
		while True:
			try:
				if self.row.register(self.host.own):
					self._beat()
					return True
				self.host.log(f"Another node named {self.row.name} is alive; waiting for it to end")
			except Exception as error:
				self.host.own.reset()
				self.host.log(f"The node cannot register yet: {error}")
			if self._signalled() == signal.SIGTERM:
				return False

	def _attend(self, pipe: int) -> None:
		heard = None
		while heard != signal.SIGTERM:
			if heard == LEAVE:
				self._leaving = True
			try:
				if self._leaving:
					self.row.leave(self.host.own)
				self._may_sweep = self.sweeps()
				os.write(pipe, self._orders().encode())
			except BrokenPipeError:
				return
			except Exception as error:
				self.host.own.reset()
				self.host.log(f"The node does not know what is wanted: {error}")
			heard = self._signalled()

	def _signalled(self) -> int | None:
		found = signal.sigtimedwait(SIGNALS, TURN_SECONDS)
		return found.si_signo if found else None

	def _beat(self) -> None:
		db = self.host.own
		self._sample = self._sampler()
		workers = [pid for pid in children(os.getppid()) if pid != os.getpid()]
		busy = sum(bool(children(pid)) for pid in workers)
		if not self.row.beat(db, self._sample, len(workers), busy):
			if self.row.is_anothers(db):
				self._superseded = True
			else:  # it was forgotten while we were cut off
				self.row.register(db)

	def _sweep(self) -> None:
		db = self.host.own
		watch(self.host)
		if self._may_sweep and lead(db, self.row.incarnation):
			sweep(self.host, db)

	def _orders(self) -> Orders:
		wishes = self.row.wishes(self.host.own) or Wishes(True, (), 0, 0)
		pools, queues = self._served(wishes)
		generation = self._watch_redis(queues)
		return Orders(queues, self._demand(wishes, pools), generation, self._superseded)

	def _served(self, wishes: Wishes) -> tuple[dict[str, int], tuple[str, ...]]:
		"""The pools of this node with their limits, and their queues."""
		rows = self.host.own.query(
			"SELECT name, queue, max_workers FROM `tabDogan Pool` WHERE enabled = 1 ORDER BY creation, name"
		)
		only = self.row.given.queues
		mine = [
			row
			for row in rows
			if (not wishes.pools or row[0] in wishes.pools) and (not only or row[1] in only)
		]
		queues = only or tuple(dict.fromkeys(row[1] for row in mine))
		return {name: most for name, _, most in mine}, queues

	def _watch_redis(self, queues: Sequence[str]) -> int:
		now = time.monotonic()
		try:
			self._waiting_jobs = self.jobs(queues)
		except Exception as error:
			self._waiting_jobs = 0
			self._silent_since = self._silent_since or now
			self.host.log(f"Redis: {error}")
		else:
			self._generation += bool(self._silent_since and now - self._silent_since > OUTAGE_SECONDS)
			self._silent_since = None
		if not self._waiting_jobs:
			self._jobs_since = now
		return self._generation

	def _demand(self, wishes: Wishes, pools: dict[str, int]) -> Demand:
		settings = self.host.settings()
		least = wishes.least or settings.workers_per_node_min
		most = wishes.most or settings.workers_per_node_max
		if not wishes.takes_work or self._leaving:
			return Demand(0, 0)
		waiting = waiting_tasks(self.host, pools) if settings.enabled else None
		demand = Demand(least, max(least, most), cpu=self._sample.cpu, memory=self._sample.memory)
		count, waited = (waiting.count, waiting.seconds) if waiting else (0, 0.0)
		if self._waiting_jobs:
			waited = max(waited, time.monotonic() - self._jobs_since)
		return replace(demand, waiting=count + self._waiting_jobs, waited=waited)
