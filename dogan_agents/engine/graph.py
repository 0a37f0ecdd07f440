"""The order of a workflow's steps."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from dogan_agents.engine.errors import SpecError


def topological(predecessors: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
	"""Steps so that each comes after its predecessors; SpecError names the steps of a cycle."""
	try:
		return tuple(TopologicalSorter(predecessors).static_order())
	except CycleError as error:
		cycle: Sequence[str] = error.args[1]
		raise SpecError(
			"the steps form a cycle: " + " → ".join(cycle), step=cycle[0], field="depends_on"
		) from error


def successors(predecessors: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
	"""For each step, those that name it as a predecessor, in the order of definition."""
	after: dict[str, list[str]] = {step: [] for step in predecessors}
	for step, before in predecessors.items():
		for name in before:
			after[name].append(step)
	return {step: tuple(names) for step, names in after.items()}


def ancestors(predecessors: Mapping[str, Sequence[str]], step: str) -> frozenset[str]:
	"""Every step that has ended before `step` begins."""
	found: set[str] = set()
	stack = list(predecessors[step])
	while stack:
		name = stack.pop()
		if name not in found:
			found.add(name)
			stack.extend(predecessors[name])
	return frozenset(found)


def levels(predecessors: Mapping[str, Sequence[str]]) -> dict[str, int]:
	"""The length of the longest way to each step: its column in a drawing."""
	depth: dict[str, int] = {}
	for step in topological(predecessors):
		depth[step] = 1 + max((depth[name] for name in predecessors[step]), default=-1)
	return depth
