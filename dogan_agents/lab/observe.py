"""What a live view shows, read from the tables."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, RUN, TASK, WORKER
from dogan_agents.engine.states import RUN_ENDED, TASK_ENDED

ENDED = {status.value for status in TASK_ENDED}


class SeenNode(Protocol):
	"""What is asked of a node's handle."""

	name: str
	size: int

	@property
	def alive(self) -> bool: ...

	def workers(self) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class NodeState:
	name: str
	size: int  # workers it should have
	workers: int  # workers that are alive
	killed: bool
	holds: int  # steps claimed and not ended
	done: int
	lease: float  # seconds for which a killed node's leases still hold; 0 when they have run out


@dataclass(frozen=True, slots=True)
class Snapshot:
	runs: Counter[str]  # by status
	ready: int
	running: int
	done: int
	nodes: tuple[NodeState, ...]

	@property
	def ended(self) -> int:
		return sum(self.runs[status.value] for status in RUN_ENDED)


def observe(db: Database, nodes: Sequence[SeenNode], workflow: str = "%") -> Snapshot:
	"""How things are with the runs of a workflow, a LIKE pattern, and with the nodes."""
	runs: Counter[str] = Counter(
		dict(
			db.query(
				f"SELECT status, COUNT(*) FROM {RUN} WHERE workflow LIKE %s GROUP BY status", (workflow,)
			)
		)
	)
	tasks = db.query(
		f"SELECT status, COALESCE(node, ''), COUNT(*) FROM {TASK} WHERE workflow LIKE %s GROUP BY status, node",
		(workflow,),
	)
	leases = {
		node: max(0.0, float(left))
		for node, left in db.query(
			f"SELECT node, (MAX(expires) - {NOW}) / 1e6 FROM {WORKER} WHERE status IN ('Idle', 'Busy') GROUP BY node"
		)
	}
	holds: Counter[str] = Counter()
	done: Counter[str] = Counter()
	for status, node, count in tasks:
		if status == "Running":
			holds[node] += count
		elif status in ENDED:
			done[node] += count
	return Snapshot(
		runs=runs,
		ready=sum(count for status, _, count in tasks if status == "Ready"),
		running=holds.total(),
		done=done.total(),
		nodes=tuple(
			NodeState(
				name=node.name,
				size=node.size,
				workers=len(node.workers()),
				killed=not node.alive,
				holds=holds[node.name],
				done=done[node.name],
				lease=leases.get(node.name, 0.0),
			)
			for node in nodes
		),
	)
