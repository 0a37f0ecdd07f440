"""A node of the lab: `python -m dogan_agents.lab.node --name node-1 --workers 2`, and the handle its parent has."""

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from dogan_agents.cluster.pool import DEFAULT
from dogan_agents.cluster.processes import children
from dogan_agents.cluster.registration import Given
from dogan_agents.cluster.supervisor import GRACE_SECONDS, WORKER
from dogan_agents.host.lab import NODE
from dogan_agents.lab.config import ENVIRONMENT, LabConfig
from dogan_agents.lab.pools import QUEUES
from dogan_agents.lab.supervisor import LabSupervisor

POLL = 0.01
STOP_SECONDS = 40  # a drain may work on until its time slice is over


class Node:
	"""A node as its parent sees it; leaving the context ends it as a power cut would."""

	def __init__(
		self,
		config: LabConfig,
		name: str,
		workers: int | None = 2,
		queues: Sequence[str] = QUEUES,
		*,
		prefix: Sequence[str] = (),
		folder: Path | None = None,
		**options: float,
	):
		"""Without `workers` there are as many as the settings and the demand want.

		`prefix` goes before its command; `folder` is where it works, and where its log is.
		"""
		self.config, self.name, self.size, self.queues = config, name, workers or 0, queues
		self.prefix, self.options = prefix, options
		self.folder = folder or Path(config.scratch)
		self.process: subprocess.Popen[bytes] | None = None

	def __enter__(self) -> "Node":
		self.start()
		return self

	def __exit__(self, *exception: object) -> None:
		self.kill()

	@property
	def alive(self) -> bool:
		return self.process is not None and self.process.poll() is None

	@property
	def log(self) -> Path:
		return self.folder / f"{self.name}.log"

	def start(self) -> None:
		options = ["--name", self.name, "--workers", str(self.size), "--queues", ",".join(self.queues)]
		options += [f"--{name.replace('_', '-')}={value}" for name, value in self.options.items()]
		with self.log.open("ab") as log:
			self.process = subprocess.Popen(
				[*self.prefix, sys.executable, "-m", "dogan_agents.lab.node", *options],
				cwd=self.folder,
				env={**self.config.to_env(), NODE: self.name},
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=log,
				start_new_session=True,
			)

	def stop(self, seconds: float = STOP_SECONDS) -> None:
		"""Let it finish what it is doing; after `seconds`, make it end."""
		if self.process and self.alive:
			self.process.terminate()
			with contextlib.suppress(subprocess.TimeoutExpired):
				self.process.wait(seconds)
		self.kill()

	def kill(self) -> int:
		"""SIGKILL for every process of the node; its supervisor is stopped first, so that nobody is replaced."""
		if not self.process:
			return 0
		killed = {self.process.pid} if self.alive else set()
		if self.alive:
			self.process.send_signal(signal.SIGSTOP)
		while pids := [pid for pid in self.pids() if pid != self.process.pid]:
			killed.update(pids)
			for pid in pids:
				with contextlib.suppress(ProcessLookupError):
					os.kill(pid, signal.SIGKILL)
			time.sleep(POLL)
		self.process.kill()
		self.process.wait()
		return len(killed)

	def pids(self) -> list[int]:
		"""Every process of the node, wherever it stands in the process tree.

		RQ gives each job a session of its own, and who has lost its parent is nobody's descendant: but the
		environment the node was started with goes with them all.
		"""
		mark = (self.config.to_json(), self.name)
		return [pid for pid, environment in environments() if _mark(environment) == mark]

	def workers(self) -> list[int]:
		"""Its RQ workers that are alive."""
		return [pid for pid in children(self.process.pid) if _name(pid) == WORKER] if self.process else []


def environments() -> Iterator[tuple[int, dict[str, str]]]:
	"""Of the processes that we may look at, and that have not ended."""
	for process in psutil.process_iter():
		with contextlib.suppress(psutil.Error, OSError):
			yield process.pid, process.environ()


def _name(pid: int) -> str:
	try:
		return str(psutil.Process(pid).name())
	except psutil.NoSuchProcess:
		return ""


def _mark(environment: dict[str, str]) -> tuple[str | None, str | None]:
	return environment.get(ENVIRONMENT), environment.get(NODE)


def main() -> None:
	parser = argparse.ArgumentParser(description="Run one node of the lab that the environment names.")
	parser.add_argument("--name", required=True)
	parser.add_argument(
		"--workers", type=int, default=0, help="0: as many as the settings and the demand want"
	)
	parser.add_argument("--queues", default=",".join(QUEUES))
	parser.add_argument("--cool-down", type=float, default=DEFAULT.cool_down)
	parser.add_argument("--grace", type=float, default=GRACE_SECONDS)
	options = parser.parse_args()
	os.environ[NODE] = options.name
	logging.basicConfig(format="%(asctime)s %(process)d %(message)s")
	logging.getLogger("dogan_agents").setLevel(logging.INFO)
	size = options.workers or None
	given = Given(least=size, most=size, queues=tuple(options.queues.split(",")))
	LabSupervisor(LabConfig.from_env(), options.name, given, options.cool_down, options.grace).run()


if __name__ == "__main__":
	main()
