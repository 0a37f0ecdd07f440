"""What runs in a node: ordinary RQ workers and a sweep, each a process of its own that is replaced when it dies.

The supervisor holds no connection and has no thread, so it can fork at any time: whoever it forks has the engine,
the lab host and the actions in memory already.
"""

import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis
from rq import Queue, Worker

from dogan_agents.engine.action import registry
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.lease import Every, lead, step_down
from dogan_agents.engine.sweep import sweep
from dogan_agents.host.lab import ACTIONS, LabHost
from dogan_agents.lab.config import LabConfig

SUPERVISOR, WORKER, SWEEP = "dogan-node", "dogan-worker", "dogan-sweep"  # as ps and top show them
SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
SWEEP_SECONDS = 1.0
REPLACE_SECONDS = 0.2  # before those who died are replaced: what dies at once must not keep the machine busy


class Supervisor:
	def __init__(self, config: LabConfig, node: str, workers: int, queues: Sequence[str]):
		self.config, self.node, self.workers, self.queues = config, node, workers, queues
		self.children: dict[int, str] = {}

	def run(self) -> None:
		"""Keep the node complete until asked to end; then let the workers finish what they are doing."""
		registry(ACTIONS)
		_show_as(SUPERVISOR)
		signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
		self._complete()
		while signal.sigwait(SIGNALS) == signal.SIGCHLD:
			self._reap()
			time.sleep(REPLACE_SECONDS)
			self._complete()
		self._end()

	def _complete(self) -> None:
		names = list(self.children.values())
		for _ in range(self.workers - names.count(WORKER)):
			self._fork(WORKER, self._work)
		if SWEEP not in names:
			self._fork(SWEEP, self._sweep)

	def _reap(self) -> None:
		while self.children:
			pid, _ = os.waitpid(-1, os.WNOHANG)
			if not pid:
				return
			self.children.pop(pid, None)

	def _end(self) -> None:
		for pid in self.children:
			os.kill(pid, signal.SIGTERM)
		for pid in self.children:
			os.waitpid(pid, 0)

	def _fork(self, name: str, work: Callable[[], object]) -> None:
		pid = os.fork()
		if pid:
			self.children[pid] = name
			return
		status = 1
		try:
			_show_as(name)
			work()
			status = 0
		except Exception:
			traceback.print_exc()
		finally:
			os._exit(status)

	def _work(self) -> None:
		signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
		redis = Redis.from_url(self.config.redis_url)
		queues = [Queue(name, connection=redis) for name in self.queues]
		name = f"{self.node}-{os.getpid()}-{new_id()[-6:]}"
		Worker(queues, connection=redis, name=name, log_job_description=False).work(logging_level="WARNING")

	def _sweep(self) -> None:
		host = LabHost(self.config, self.node)
		holder = f"{self.node}-sweep-{os.getpid()}-{new_id()[-6:]}"

		def turn() -> None:
			if lead(host.own, holder):
				sweep(host, host.own)

		with Every(host, SWEEP_SECONDS, turn):
			signal.sigwait((signal.SIGTERM, signal.SIGINT))
		step_down(host.own, holder)


def _show_as(name: str) -> None:
	Path("/proc/self/comm").write_text(name)
