"""A node that dies in the middle of its work, as nodes do."""

from collections.abc import Sequence
from dataclasses import dataclass

from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, TASK
from dogan_agents.lab.node import Node

JUST_NOW = 40_000  # µs; who began a step so lately is still at it when the SIGKILL comes


@dataclass(frozen=True, slots=True)
class Outage:
	node: str
	at: int  # µs, by the database's clock
	processes: int
	tasks: tuple[str, ...]  # that it was performing


def strike(db: Database, nodes: Sequence[Node], step: str) -> Outage | None:
	"""SIGKILL for a node that has just begun `step`, a long one; None when there is no such node at this moment."""
	now, name = db.query(
		f"SELECT {NOW}, (SELECT node FROM {TASK} WHERE status = 'Running' AND step = %s "
		"AND started_at > UTC_TIMESTAMP(6) - INTERVAL %s MICROSECOND GROUP BY node ORDER BY COUNT(*) DESC LIMIT 1)",
		(step, JUST_NOW),
	)[0]
	if not name:
		return None
	(victim,) = (node for node in nodes if node.name == name)
	processes = victim.kill()
	held = db.query(f"SELECT name FROM {TASK} WHERE status = 'Running' AND node = %s", (name,))
	return Outage(name, int(now), processes, tuple(task for (task,) in held))
