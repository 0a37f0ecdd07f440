"""Several nodes: how much more they do, how evenly, and how soon one stands in for another."""

from benchmarks.case import Case, Goal, Group, Home, Role
from benchmarks.cases.groups import EVENNESS, FAILOVER, OUTSIDE

PROMISE = "steps, results and successors on disk in one transaction; survives any node"
RUNS = 100  # for each node
CLAIMED_ALONE = (
	"The wait. A step that acts outside is claimed alone and written in a commit of its own:",
	"some milliseconds of Python and MariaDB around the fifty.",
)


def _case(
	name: str,
	title: str,
	group: Group,
	module: str,
	goal: Goal | None,
	*,
	nodes: int,
	placement: str = "",
	yardstick: str = "",
	where_time_goes: tuple[str, str] = CLAIMED_ALONE,
) -> Case:
	return Case(
		name,
		title,
		group,
		Role.OURS,
		Home.OURS,
		f"benchmarks.lab.{module}",
		PROMISE,
		where_time_goes,
		most_runs=RUNS,
		goal=goal,
		options=("--nodes", str(nodes), *(("--placement", placement) if placement else ())),
		yardstick=yardstick,
	)


def _scale(name: str, title: str, nodes: int, goal: Goal | None) -> Case:
	yardstick = "nodes_scale_1" if goal else ""
	return _case(name, title, OUTSIDE, "outside", goal, nodes=nodes, yardstick=yardstick)


def _evenness(name: str, title: str, placement: str) -> Case:
	return _case(name, title, EVENNESS, "evenness", Goal(under=115), nodes=3, placement=placement)


CASES = (
	_scale("nodes_scale_1", "One node", 1, None),
	_scale("nodes_scale_3", "Three nodes", 3, Goal(ratio=2.8)),
	_scale("nodes_scale_6", "Six nodes", 6, Goal(ratio=5.5)),
	_evenness("nodes_even_any", "Any node", ""),
	_evenness("nodes_even_turn", "Round robin", "Round Robin"),
	_evenness("nodes_even_load", "Least loaded", "Least Loaded"),
	_case(
		"nodes_failover",
		"All processes of a node at once",
		FAILOVER,
		"failover",
		Goal(under=10),
		nodes=3,
		where_time_goes=(
			"The lease of the dead workers: eight seconds from their last renewal, which comes every two.",
			"Then up to a second until the sweep sees it, and a step's length until a worker is free.",
		),
	),
)
