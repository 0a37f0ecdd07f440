"""Seconds from a node's SIGKILL until other nodes have claimed all that it held."""

import random
from statistics import median
from typing import Any

from benchmarks.lab.program import LabProgram
from benchmarks.program import main, wait_until
from dogan_agents.engine.sql import NOW, TASK
from dogan_agents.lab.node import Node
from dogan_agents.lab.tally import Failover, measure_failover

KILLS = 3  # a round
RUNS = 60
WORST = 30.0  # seconds, as promised
DEFINITION: dict[str, Any] = {
	"workflow": "failover",
	"steps": [{"step": "a", "action": "pause", "input": {"seconds": 1.0}}],
}


class FailoverTime(LabProgram):
	definition = DEFINITION

	def start(self) -> None:
		super().start()
		self.chance = random.Random(1)
		self.seen: list[float] = []

	def notes(self) -> list[str]:
		return [f"{len(self.seen)} kills: p50 {median(self.seen):.1f} s, at most {max(self.seen):.1f} s"]

	def measure(self, runs: range) -> float:
		found = [self._kill() for _ in range(KILLS)]
		self.seen += found
		return median(found)

	def _kill(self) -> float:
		self._wait_for_nodes()
		aim = self.completed() + RUNS
		self.submit_many(range(RUNS))
		victim = wait_until(self._victim, "a node with steps in its hands")
		killed = int(self.db.query(f"SELECT {NOW}")[0][0])
		victim.kill()
		held = self._held(victim)
		found = wait_until(lambda: self._taken(victim, killed, held), "the failover", patience=WORST)
		victim.start()
		wait_until(lambda: self.completed() >= aim, "the runs")
		return found.claimed or 0.0

	def _wait_for_nodes(self) -> None:
		row = "SELECT COUNT(*) FROM `tabDogan Node` WHERE status = 'Healthy'"
		wait_until(
			lambda: (
				all(len(node.workers()) == node.size for node in self.nodes)
				and self.db.query(row)[0][0] == len(self.nodes)
			),
			"the nodes",
		)

	def _victim(self) -> Node | None:
		"""Any node, once each has as many steps in its hands as workers."""
		if any(len(self._held(node)) < node.size for node in self.nodes):
			return None
		return self.chance.choice(self.nodes)

	def _held(self, node: Node) -> tuple[str, ...]:
		rows = self.db.query(f"SELECT name FROM {TASK} WHERE status = 'Running' AND node = %s", (node.name,))
		return tuple(name for (name,) in rows)

	def _taken(self, node: Node, killed: int, held: tuple[str, ...]) -> Failover | None:
		found = measure_failover(self.db, node.name, killed, held)
		return found if found.taken == len(held) else None


if __name__ == "__main__":
	main(FailoverTime)
