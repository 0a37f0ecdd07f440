"""Nodes on a network, and what can happen to each of them."""

import contextlib
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from dogan_agents.engine.sql import NOW
from dogan_agents.lab.node import Node
from dogan_agents.lab.outage import Outage
from dogan_agents.lab.server import LabServers
from dogan_agents.lab.tally import Failover, measure_failover
from tests.chaos.network import Link, Network
from tests.chaos.storm import Storm, until

WORST = 30.0  # seconds after which what a dead node held is in other hands
ENOUGH = 400  # steps that are not done yet
STEWARD = "dogan-steward"


class Cluster(Storm):
	def __init__(self, lab: LabServers, chance: random.Random, network: Network):
		super().__init__(lab, chance)
		self.network = network
		self.links: dict[str, Link] = {}
		self.frozen: list[psutil.Process] = []
		self.cut: set[str] = set()

	def add_node(self, workers: int = 2, folder: Path | None = None) -> Node:
		link = self.network.link(self.lab.config)
		name = f"node-{len(self.nodes) + 1}"
		node = Node(link.config, name, workers, ["default"], prefix=link.prefix, folder=folder)
		self.nodes.append(node)
		self.links[name] = link
		node.start()
		return node

	def add_nodes(self, count: int) -> list[Node]:
		"""All of them healthy, with their workers."""
		nodes = [self.add_node() for _ in range(count)]
		for node in nodes:
			self.wait_for(node)
		return nodes

	def wait_for(self, node: Node, timeout: float = 100) -> None:
		until(lambda: self.status(node) == "Healthy" and len(node.workers()) == node.size, timeout)

	def status(self, node: Node) -> str:
		return str(self.value("SELECT status FROM `tabDogan Node` WHERE name = %s", node.name))

	def now(self) -> int:
		return int(self.db.query(f"SELECT {NOW}")[0][0])

	def held_by(self, node: Node) -> tuple[str, ...]:
		rows = self.db.query(
			"SELECT name FROM `tabDogan Task` WHERE status = 'Running' AND node = %s", (node.name,)
		)
		return tuple(name for (name,) in rows)

	def busiest(self) -> Node:
		"""A node with a step in its hands, chosen by chance."""
		return until(lambda: self.chance.choice(busy) if (busy := self._busy()) else None)

	def _busy(self) -> list[Node]:
		return [node for node in self.nodes if self.held_by(node)]

	def strike(self, node: Node, how: Callable[[], Any]) -> Outage:
		"""Do something terrible to a node; what it held by then."""
		at = self.now()
		how()
		return Outage(node.name, at, 0, self.held_by(node))

	def failover(self, outage: Outage) -> Failover:
		"""Once others have claimed all that the node held: WORST is what is promised."""

		def taken() -> Failover | None:
			found = measure_failover(self.db, outage.node, outage.at, outage.tasks)
			return found if found.taken == found.steps else None

		found: Failover = until(taken, WORST)
		print(f"{outage.node}: {found.steps} steps in its hands, claimed by others after {found.claimed} s")
		return found

	def leader(self) -> Node | None:
		holder = self.value(f"SELECT holder FROM `tabDogan Lease` WHERE name = 'sweep' AND expires > {NOW}")
		row = "SELECT name FROM `tabDogan Node` WHERE incarnation = %s"
		worker = "SELECT node FROM `tabDogan Worker` WHERE name = %s"
		name = self.value(row, holder) or self.value(worker, holder)
		return next((node for node in self.nodes if node.name == name), None)

	def freeze(self, processes: list[psutil.Process]) -> None:
		for process in processes:
			with contextlib.suppress(psutil.NoSuchProcess):
				process.suspend()
				self.frozen.append(process)

	def thaw(self) -> None:
		while self.frozen:
			with contextlib.suppress(psutil.NoSuchProcess):
				self.frozen.pop().resume()

	def all_of(self, node: Node) -> list[psutil.Process]:
		with contextlib.suppress(psutil.NoSuchProcess):
			return [psutil.Process(pid) for pid in node.pids()]
		return []

	def kill_steward(self, node: Node) -> None:
		for process in self.all_of(node):
			with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
				if process.name() == STEWARD:
					os.kill(process.pid, signal.SIGKILL)

	def kill_the_leader(self) -> str:
		leader = self.leader()
		if leader:
			self.kill_steward(leader)
		return leader.name if leader else "nobody"

	def cut_off_a_node(self) -> str:
		node = self.chance.choice(self.nodes)
		self.links[node.name].cut()
		self.cut.add(node.name)
		return node.name

	def freeze_a_node(self) -> str:
		node = self.chance.choice(self.nodes)
		self.freeze(self.all_of(node))
		return node.name

	def mend_some(self) -> None:
		"""Each network and each frozen node is well again after some turns."""
		if self.chance.random() < 0.2:
			self.mend_all()

	def mend_all(self) -> None:
		self.thaw()
		for name in self.cut:
			self.links[name].mend()
		self.cut.clear()

	def feed(self, count: int) -> None:
		"""Start runs unless too many wait already."""
		if self.started * self.steps - self.done() < ENOUGH:
			self.start(count)

	def start_long(self, count: int, seconds: float, **effect: Any) -> None:
		"""Start runs of two steps that take a while: one acts outside, the other leaves an effect."""
		self.version = self.define(
			{"step": "a", "action": "pause", "input": {"seconds": seconds}},
			{
				"step": "b",
				"action": "effect",
				"input": {"seconds": seconds, **effect},
				"depends_on": ["a"],
				"retry_delay": 1,
			},
			workflow="long",
		)
		self.steps, self.effects = 2, 1
		self.start(count)

	def end(self) -> None:
		self.mend_all()
		super().end()
