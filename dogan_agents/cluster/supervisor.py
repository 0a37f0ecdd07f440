"""The parent of a node's processes. It has no connection and no thread, so that it can fork at any time.

Whoever it forks has in memory already what it imported: a worker is there at once, and shares it.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from dogan_agents.cluster.crew import Crew, Kind
from dogan_agents.cluster.pool import DEFAULT, Policy, decide
from dogan_agents.cluster.processes import end_with_parent, show_as
from dogan_agents.cluster.steward import LEAVE, Orders

SUPERVISOR, WORKER, STEWARD = "dogan-node", "dogan-worker", "dogan-steward"  # as ps and top show them
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
BLOCKED = (*SIGNALS, LEAVE)
TURN_SECONDS = 0.1
DECIDE_SECONDS = 0.5
GRACE_SECONDS = 25.0  # a container has 30
LAST_SECONDS = 3.0  # for the steward's last word
REPLACE_SECONDS = 1.0  # before a steward that died is replaced
LONGEST_LINE = 1 << 16


class Supervisor:
	"""`work` serves queues until asked to stop; `attend` writes orders to a pipe. Both in processes of their own."""

	def __init__(
		self,
		work: Callable[[Sequence[str]], object],
		attend: Callable[[int], object],
		policy: Policy = DEFAULT,
		grace: float = GRACE_SECONDS,
	):
		self.work, self.attend, self.policy, self.grace = work, attend, policy, grace
		self.crew = Crew(self._start_worker)
		self.orders: Orders | None = None
		self._wanted = 0
		self._calm_since = self._decided = time.monotonic()
		self._steward = 0
		self._steward_after = 0.0
		self._pipe = -1
		self._heard = b""

	def run(self) -> None:
		"""Keep the node as it should be until asked to end; then let the workers finish what they are doing."""
		show_as(SUPERVISOR)
		signal.pthread_sigmask(signal.SIG_BLOCK, BLOCKED)
		while not (self.orders and self.orders.leave):
			self._turn()
			if self._signalled() in (signal.SIGTERM, signal.SIGINT):
				break
		self._end()

	def _turn(self) -> None:
		now = time.monotonic()
		self._reap(now)
		if not self._steward and now >= self._steward_after:
			self._start_steward()
		news = self._hear()
		if self.orders and (news or now - self._decided >= DECIDE_SECONDS):
			self._decide(self.orders, now)
		self.crew.kill_late(now)

	def _decide(self, orders: Orders, now: float) -> None:
		decision = decide(orders.demand, self._wanted, self.crew.busy(), self._calm_since, now, self.policy)
		self._wanted, self._calm_since, self._decided = decision.workers, decision.calm_since, now
		self.crew.keep(decision.workers if orders.queues else 0, Kind(orders.queues, orders.generation), now)

	def _signalled(self) -> int | None:
		found = signal.sigtimedwait(SIGNALS, TURN_SECONDS)
		return found.si_signo if found else None

	def _hear(self) -> bool:
		"""The latest orders; True when there are new ones."""
		try:
			self._heard += os.read(self._pipe, LONGEST_LINE)
		except BlockingIOError:
			return False
		*lines, self._heard = self._heard.split(b"\n")
		if lines:
			self.orders = Orders.decode(lines[-1])
		return bool(lines)

	def _reap(self, now: float) -> None:
		while self._steward or len(self.crew):
			pid, _ = os.waitpid(-1, os.WNOHANG)
			if not pid:
				return
			if pid == self._steward:
				self._steward, self._steward_after = 0, now + REPLACE_SECONDS
			self.crew.ended(pid, now)

	def _end(self) -> None:
		deadline = time.monotonic() + self.grace
		self._tell_steward(LEAVE)
		self.crew.stop(deadline)
		while len(self.crew):
			if self._signalled() == signal.SIGINT:  # somebody is in a hurry
				self.crew.stop(time.monotonic())
			self.crew.kill_late(time.monotonic())
			self._reap(time.monotonic())
		self._tell_steward(signal.SIGTERM)
		deadline = time.monotonic() + LAST_SECONDS
		while self._steward:
			if time.monotonic() > deadline:
				self._tell_steward(signal.SIGKILL)
			self._signalled()
			self._reap(time.monotonic())

	def _tell_steward(self, number: int) -> None:
		if self._steward:
			os.kill(self._steward, number)

	def _start_steward(self) -> None:
		if self._pipe >= 0:
			os.close(self._pipe)
		self._pipe, write = os.pipe()
		os.set_blocking(self._pipe, False)
		self._heard = b""
		self._steward = self._fork(STEWARD, lambda: self.attend(write), keep=BLOCKED)
		os.close(write)

	def _start_worker(self, kind: Kind) -> int:
		return self._fork(WORKER, lambda: self.work(kind.queues))

	def _fork(self, name: str, live: Callable[[], object], keep: Sequence[int] = ()) -> int:
		"""The child has a process group of its own: a Ctrl+C in a terminal is for the supervisor alone."""
		parent = os.getpid()
		sys.stdout.flush()
		sys.stderr.flush()
		pid = os.fork()
		if pid:
			return pid
		status = 1
		try:
			os.setpgid(0, 0)
			os.close(self._pipe)
			show_as(name)
			signal.pthread_sigmask(signal.SIG_SETMASK, keep)
			end_with_parent(parent)
			live()
			status = 0
		except Exception:
			traceback.print_exc()
		finally:
			sys.stdout.flush()
			sys.stderr.flush()
			os._exit(status)
