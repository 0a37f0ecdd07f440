"""The nodes as the tables have them, for placing tasks."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dogan_agents.cluster.placement import NodeView
from dogan_agents.engine.place import Place, parse_labels
from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, TASK


@dataclass(frozen=True, slots=True)
class NodeRow:
	name: str
	healthy: bool  # alive by the database's clock, neither cordoned nor draining
	weight: float
	labels: dict[str, str]
	pools: frozenset[str]  # empty: all

	def serves(self, pool: str) -> bool:
		return self.healthy and (not self.pools or pool in self.pools)


class Nodes:
	"""One reading, and what has been given out since: so that what is placed within a second is even, too."""

	def __init__(self, rows: Sequence[NodeRow], loads: Counter[str]):
		self.rows, self.loads = rows, loads

	def views(self, pool: str) -> list[NodeView]:
		return [
			NodeView(row.name, row.weight, row.labels, self.loads[row.name])
			for row in self.rows
			if row.serves(pool)
		]

	def unhealthy(self) -> frozenset[str]:
		return frozenset(row.name for row in self.rows if not row.healthy)

	def may_perform(self, pool: str, node: str) -> bool:
		return any(row.name == node and row.serves(pool) for row in self.rows)

	def given(self, places: Sequence[object]) -> None:
		self.loads.update(place.node for place in places if isinstance(place, Place) and place.node)


def read(db: Database) -> Nodes:
	rows = [
		NodeRow(name, bool(healthy), weight or 1.0, parse_labels(labels or "") or {}, _pools(pools))
		for name, healthy, weight, labels, pools in db.query(
			f"SELECT name, expires > {NOW} AND cordoned = 0 AND draining = 0, CAST(weight AS DOUBLE), labels, pools "
			"FROM `tabDogan Node`"
		)
	]
	return Nodes(rows, _loads(db) if rows else Counter())


def _pools(text: str | None) -> frozenset[str]:
	return frozenset(name.strip() for name in (text or "").splitlines() if name.strip())


def _loads(db: Database) -> Counter[str]:
	waiting = db.query(
		f"SELECT target, COUNT(*) FROM {TASK} WHERE target IS NOT NULL AND ready_key > 0 GROUP BY target"
	)
	running = db.query(f"SELECT node, COUNT(*) FROM {TASK} WHERE running_on IS NOT NULL GROUP BY node")
	loads: Counter[str] = Counter()
	for node, count in (*waiting, *running):
		loads[node] += count
	return loads
