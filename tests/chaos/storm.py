"""Runs under load on real RQ workers, and what can happen to them."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pymysql
import redis

from dogan_agents.engine import runs
from dogan_agents.engine.sql import NOW
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.node import Node
from dogan_agents.lab.pools import define_pools
from dogan_agents.lab.server import LabServers
from dogan_agents.lab.workflows import define

ROOT = Path(__file__).parents[2]
STEPS = [
	{"step": "a", "action": "effect", "input": {"seconds": 0.01}},
	{"step": "b", "action": "effect", "input": {"seconds": 0.03}, "depends_on": ["a"]},
	{"step": "c", "action": "effect", "input": {"seconds": 0.01}, "depends_on": ["a"]},
	{"step": "d", "action": "effect", "input": {"seconds": 0.01}, "depends_on": ["b", "c"]},
]
CRASHES = 50  # a step may be unlucky that often before it is taken for poison
PATIENCE = 120.0
TRIED = re.compile("its lease was lost; nothing of attempt|; trying again")
"""What the log says of a result that came too late: it was refused, or its transaction was gone already."""


def until(condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
	"""What the condition says once it is true."""
	deadline = time.monotonic() + timeout
	while not (found := condition()):
		assert time.monotonic() < deadline, "waited in vain"
		time.sleep(0.05)
	return found


class Storm:
	def __init__(self, lab: LabServers, chance: random.Random):
		self.lab, self.chance = lab, chance
		self.host = LabHost(lab.config, "storm")
		self.db = self.host.own
		self.nodes: list[Node] = []
		self.processes: list[subprocess.Popen[bytes]] = []
		self.paused: list[psutil.Process] = []
		self.started = 0
		self.steps = self.effects = len(STEPS)  # of a run
		define_pools(self.db)
		self.version = self.define(*STEPS)

	def define(self, *steps: dict[str, Any], workflow: str = "storm") -> str:
		patient = [{"max_attempts": CRASHES, **step} for step in steps]
		return define(self.host, self.db, {"workflow": workflow, "steps": patient})

	def add_node(self, workers: int = 2) -> Node:
		self.nodes.append(Node(self.lab.config, f"storm-{len(self.nodes) + 1}", workers, ["default"]))
		self.nodes[-1].start()
		return self.nodes[-1]

	def add_worker(self, name: str) -> subprocess.Popen[bytes]:
		"""A worker by itself, whose log says what the engine said."""
		with self.log(name).open("ab") as log:
			process = subprocess.Popen(
				[sys.executable, "-m", "tests.chaos.worker", name],
				cwd=ROOT,
				env=self.lab.config.to_env(),
				stdout=log,
				stderr=log,
			)
		self.processes.append(process)
		return process

	def log(self, name: str) -> Path:
		return Path(self.lab.config.scratch) / f"{name}.log"

	def start(self, count: int) -> None:
		"""Start runs, whatever becomes of the database meanwhile: the same key never starts a second one."""
		for number in range(self.started, self.started + count):
			until(lambda number=number: self._start(number))
		self.started += count
		self.host.hands.wake("default")

	def _start(self, number: int) -> bool:
		try:
			now = int(self.db.query(f"SELECT {NOW}")[0][0])
			request = runs.StartRequest(self.version, "storm@lab.example", idempotency_key=f"storm-{number}")
			runs.start(self.host, self.db, request, now)
			return True
		except pymysql.MySQLError:
			self.db.reset()
			return False

	def value(self, sql: str, *params: Any) -> Any:
		try:
			rows = self.db.query(sql, params)
			return rows[0][0] if rows else None
		except pymysql.MySQLError:
			self.db.reset()
			return None

	def done(self) -> int:
		return self.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE status = 'Completed'") or 0

	def wait_for_progress(self, steps: int = 40) -> None:
		"""Until some more steps are done: as many as are left, at least."""
		target = min(self.done() + steps, self.started * self.steps)
		until(lambda: self.done() >= target)

	def workers(self) -> list[psutil.Process]:
		"""The RQ workers of all nodes, by age."""
		found = [pid for node in self.nodes for pid in node.workers()]
		with contextlib.suppress(psutil.NoSuchProcess):
			return [psutil.Process(pid) for pid in found]
		return []

	def kill_a_worker(self) -> str:
		"""SIGKILL for a worker, for its work horse, or for both."""
		workers = self.workers()
		if not workers:
			return "nobody"
		worker = self.chance.choice(workers)
		with contextlib.suppress(psutil.NoSuchProcess):
			horses = worker.children(recursive=True)
			what = self.chance.choice(("worker", "horse", "both"))
			victims = {"worker": [worker], "horse": horses, "both": [*horses, worker]}[what]
			for victim in victims:
				with contextlib.suppress(psutil.NoSuchProcess):
					victim.kill()
			return f"{what} of {worker.pid}"
		return "nobody"

	def pause_a_horse(self) -> str:
		"""SIGSTOP for a work horse; it stays so until `resume_horses`."""
		for worker in self.workers():
			with contextlib.suppress(psutil.NoSuchProcess):
				for horse in worker.children():
					horse.suspend()
					self.paused.append(horse)
					return f"paused {horse.pid}"
		return "nobody"

	def resume_horses(self) -> None:
		for horse in self.paused:
			with contextlib.suppress(psutil.NoSuchProcess):
				horse.resume()

	def kill_a_node(self) -> str:
		node = self.chance.choice(self.nodes)
		node.kill()
		node.start()
		return node.name

	def flush_redis(self) -> None:
		with redis.Redis.from_url(self.lab.config.redis_url) as client:
			client.flushall()

	def check(self) -> None:
		"""Every run has ended, each effect is there once, and nobody holds anything any more."""
		open_runs = "SELECT COUNT(*) FROM `tabDogan Run` WHERE status IN ('Queued', 'Running', 'Waiting')"
		until(lambda: self.value(open_runs) == 0)
		assert self.db.query("SELECT status, COUNT(*) FROM `tabDogan Run` GROUP BY status") == (
			("Completed", self.started),
		)
		assert self.db.query("SELECT task, COUNT(*) FROM lab_effect GROUP BY task HAVING COUNT(*) != 1") == ()
		assert self.value("SELECT COUNT(*) FROM lab_effect") == self.started * self.effects
		assert self.db.query("SELECT status, COUNT(*) FROM `tabDogan Task` GROUP BY status") == (
			("Completed", self.started * self.steps),
		)
		assert (
			self.value("SELECT COUNT(*) FROM `tabDogan Task` WHERE running_on IS NOT NULL OR ready_key > 0")
			== 0
		)

	def end(self) -> None:
		for node in self.nodes:
			node.kill()
		for process in self.processes:
			with contextlib.suppress(psutil.NoSuchProcess):
				for horse in psutil.Process(process.pid).children(recursive=True):
					os.kill(horse.pid, signal.SIGKILL)
			process.kill()
			process.wait()
		self.db.reset()
