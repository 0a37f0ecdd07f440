"""The drain: an RQ job that works batch after batch until its pool is empty or its time slice is over."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dogan_agents.engine import limits
from dogan_agents.engine.admit import unblock
from dogan_agents.engine.claim import Claim, Claimed, claim, release
from dogan_agents.engine.clock import DatabaseClock
from dogan_agents.engine.healing import Kind, Watch
from dogan_agents.engine.lease import Every, WorkerLease, lead, tell_of_connection
from dogan_agents.engine.perform import Performer
from dogan_agents.engine.ports import ErrorKind, Host, PoolSpec
from dogan_agents.engine.ready import Call
from dogan_agents.engine.sql import RUN, TASK, transaction
from dogan_agents.engine.sweep import hand_over, sweep

MAX_BATCH = 100
ALONE = 2  # asked for after a step that was claimed alone: one to take, one to see whether there are more
BATCH_SECONDS = 0.5  # what a batch should take; more is given back to other workers
SWEEP_SECONDS = 1.0
PASSING = frozenset(
	{ErrorKind.CONNECTION, ErrorKind.DEADLOCK, ErrorKind.LOCK_WAIT}
)  # a worker outlives these
RECHECK_SECONDS = 2.0  # how soon a lowered `max_agents` is noticed


@dataclass(slots=True)
class DrainReport:
	performed: int = 0
	reason: str = ""  # why it ended: empty, slice, lost, full, disabled, cordoned


class Drain:
	"""One worker's turn at a pool."""

	def __init__(self, host: Host, pool: PoolSpec, stop: Callable[[], bool], rq_worker: str | None = None):
		self.host, self.pool, self.stop = host, pool, stop
		self.lease = WorkerLease(host, pool.name, rq_worker)
		self.clock = DatabaseClock()
		self.report = DrainReport()
		self._busy = False
		self._checked = 0.0
		self._pace = BATCH_SECONDS / MAX_BATCH  # seconds a task, lately
		self._most = MAX_BATCH

	def run(self) -> DrainReport:
		"""Work until there is a reason to end, and leave somebody behind when there is work left."""
		self._note_connections()
		with self.lease, Every(self.host, SWEEP_SECONDS, self._sweep):
			self.host.hands.alive(self.pool.name, self.lease.name, 8.0)
			try:
				self._loop()
			finally:
				self._leave()
		return self.report

	def _loop(self) -> None:
		slice_ends = time.monotonic() + self.pool.time_slice
		while not self.report.reason:
			if self.lease.lost():
				self.report.reason = "lost"
			elif self.stop() or time.monotonic() > slice_ends:
				self.report.reason = "slice"
			elif not self.host.settings().enabled or not self.pool.enabled:
				self.report.reason = "disabled"
			elif not self.host.may_claim():
				self.report.reason = "cordoned"
			elif self._one_too_many():
				self.report.reason = "full"
			elif not self._turn() and not self._linger(slice_ends):
				self.report.reason = self.report.reason or "empty"

	def _turn(self) -> bool:
		"""Claim a batch and perform it; False when there is none."""
		size = min(self._most, max(1, int(BATCH_SECONDS / self._pace)))
		self._note_connections()
		try:
			found = claim(
				self.host,
				self.pool.name,
				self.lease.name,
				size,
				self.clock.now(self.host.own),
				busy=self._busy,
			)
		except Exception as error:
			self._recover(error, [])
			return True
		self._wake(found)
		if found.refused:
			self.report.reason = "full"
		self._most = ALONE if any(task.alone for task in found.tasks) else MAX_BATCH
		if found.tasks:
			self._busy = True
			self._perform(found.tasks)
		return bool(found.tasks) or found.more

	def _note_connections(self) -> None:
		"""The lease tells others which connections to close when we are dead."""
		numbers = (self.host.own.connection_id, self.host.work.connection_id)
		self.lease.connections = ",".join(map(str, numbers))

	def _wake(self, found: Claim) -> None:
		self._call(found.woken)
		if found.more:
			self.host.hands.spread(self.pool.name)

	def _perform(self, tasks: list[Claimed]) -> None:
		began = time.monotonic()
		performer = Performer(self.host, lambda: self.clock.now(self.host.own), self.lease.lost)
		done = 0
		try:
			ended: set[str] = set()
			for forward in performer.perform(tasks, lambda: time.monotonic() - began > 2 * BATCH_SECONDS):
				done = len(tasks) - len(performer.rest)
				self.lease.done = self.report.performed + done
				self._call(forward.ready)
				ended.update(forward.ended.values())
			if performer.rest and not self.lease.lost():
				release(self.host, list(performer.rest))
			self._hand_over(tasks, ended)
		except Exception as error:
			self._recover(error, tasks)
		for task, void in performer.voids:
			self._tell_of(void, [task])
		self.report.performed += done
		if done:
			self._pace = max(1e-4, (time.monotonic() - began) / done)

	def _call(self, calls: Iterable[Call]) -> None:
		"""Wake who has got work, but for ourselves."""
		for pool, node in calls:
			if (pool, node) not in ((self.pool.name, ""), (self.pool.name, self.host.node)):
				self.host.hands.wake(pool, node)

	def _hand_over(self, tasks: list[Claimed], workflows: set[str]) -> None:
		"""Slots of limits that this batch filled, and places of runs that ended, go to whoever waits for them."""
		db = self.host.own
		keys = {
			limited.key for task in tasks for limited in limits.of_task(self.host, task.agent, task.limit_key)
		}
		for key in sorted(keys):
			with transaction(db):
				hand_over(self.host, db, key, self.clock.now(db))
		for workflow in sorted(workflows):
			if self.host.max_concurrent(workflow):
				with transaction(db):
					unblock(self.host, db, workflow, self.clock.now(db))

	def _recover(self, error: Exception, tasks: list[Claimed]) -> None:
		"""The database or Redis went away in the middle: give back what we hold, as soon as it answers again."""
		if self.host.classify(error) not in PASSING:
			raise error
		self.host.log(f"{self.lease.name}: {error}; trying again")
		self.host.own.reset()
		self.host.work.reset()
		while not self.lease.lost():
			try:
				if tasks:
					release(self.host, tasks)
				self.host.own.query("SELECT 1")
				self._tell_of(error, tasks)
				return
			except Exception as again:
				if self.host.classify(again) not in PASSING:
					raise
				self.host.own.reset()
				time.sleep(0.2)

	def _tell_of(self, error: BaseException, tasks: Sequence[Claimed]) -> None:
		"""What a transaction was rolled back for; it was done again."""
		if self.host.classify(error) is ErrorKind.CONNECTION:
			tell_of_connection(self.host, error)
		else:
			self.host.healed(
				Kind.DEADLOCK,
				self.pool.name,
				f"A transaction of {self.lease.name} in the pool {self.pool.name} was rolled back: {error}",
				"What was in it was done again.",
				watch=Watch.tasks([task.name for task in tasks]),
			)

	def _one_too_many(self) -> bool:
		if not self._busy or time.monotonic() - self._checked < RECHECK_SECONDS:
			return False
		self._checked = time.monotonic()
		return limits.over(self.host.own, self.lease.name, self.host.settings().max_agents)

	def _linger(self, slice_ends: float) -> bool:
		"""Nothing to claim: wait a little for more; True when there may be some."""
		self._rest()
		until = min(time.monotonic() + self.pool.idle_seconds, slice_ends)
		while (
			time.monotonic() < until and not self.report.reason and not self.stop() and not self.lease.lost()
		):
			self.host.hands.wait(self.pool.name, min(1.0, max(0.05, until - time.monotonic())))
			if not self.host.may_claim() or self._turn():
				return True
		return False

	def _rest(self) -> None:
		if self._busy:
			self._busy = False
			self.lease.idle()

	def _leave(self) -> None:
		"""Take our name off the list of those at work, then look once more: nobody else may have been called."""
		self.host.hands.gone(self.pool.name, self.lease.name)
		if self.report.reason in ("slice", "empty") and self._has_work():
			self.host.hands.wake(self.pool.name)

	def _has_work(self) -> bool:
		db = self.host.own
		return bool(
			db.query(
				f"SELECT name FROM {TASK} WHERE pool = %s AND target IS NULL AND ready_key > 0 LIMIT 1",
				(self.pool.name,),
			)
			or db.query(f"SELECT name FROM {RUN} WHERE queue_key > 0 LIMIT 1")
		)

	def _sweep(self) -> None:
		if lead(self.host.own, self.lease.name):
			sweep(self.host, self.host.own)


def drain(
	host: Host, pool: str, *, stop: Callable[[], bool] = lambda: False, rq_worker: str | None = None
) -> DrainReport:
	"""Work off a pool; see Drain."""
	return Drain(host, host.pool(pool), stop, rq_worker).run()
