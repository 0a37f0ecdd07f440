"""A node made of ordinary bench workers, as its parent sees it."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dogan_agents.host.node import VARIABLE
from dogan_agents.lab.node import environments

POLL = 0.01
QUEUE_REDIS = "FRAPPE_REDIS_QUEUE"  # Frappe prefers it to the bench's configuration
NOWHERE = "http://127.0.0.1:9"
NOBODY = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "no_proxy": "127.0.0.1,localhost"}
"""ERPNext asks gravatar.com for a picture of each new Lead: a proxy that is not there refuses at once."""


class SiteNode:
	"""Workers of one queue; they end with this context as in a power cut, and with the process that started them."""

	def __init__(self, name: str, size: int, queue: str, redis: str, scratch: Path):
		self.name, self.size, self.queue, self.redis = name, size, queue, redis
		self.log = scratch / f"{name}.log"
		self.processes: list[subprocess.Popen[bytes]] = []

	def __enter__(self) -> "SiteNode":
		bench = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe"]
		environment = {**os.environ, **NOBODY, VARIABLE: self.name, QUEUE_REDIS: self.redis}
		with self.log.open("ab") as log:
			for _ in range(self.size):
				self.processes.append(
					subprocess.Popen(
						[
							"setpriv",
							"--pdeathsig",
							"KILL",
							*bench,
							"worker",
							"--queue",
							self.queue,
							"--quiet",
						],
						env=environment,
						stdin=subprocess.DEVNULL,
						stdout=log,
						stderr=log,
						start_new_session=True,
					)
				)
		return self

	def __exit__(self, *exception: object) -> None:
		self.kill()

	@property
	def alive(self) -> bool:
		return bool(self.workers())

	def workers(self) -> list[int]:
		return [process.pid for process in self.processes if process.poll() is None]

	def kill(self) -> int:
		"""SIGKILL for every process of the node, the workers before the jobs they have forked; how many."""
		killed = set(self.workers())
		for process in self.processes:
			process.kill()
			process.wait()
		while pids := self._pids():
			killed.update(pids)
			for pid in pids:
				with contextlib.suppress(ProcessLookupError):
					os.kill(pid, signal.SIGKILL)
			time.sleep(POLL)
		return len(killed)

	def _pids(self) -> list[int]:
		"""RQ gives each job a session of its own: only the environment tells whose it is."""
		mark = (self.name, self.redis)
		return [pid for pid, env in environments() if (env.get(VARIABLE), env.get(QUEUE_REDIS)) == mark]
