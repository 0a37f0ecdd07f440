"""Ratios between results: medians, so that one lucky round decides nothing."""

from collections.abc import Sequence

from benchmarks.case import Result, Role


def yardstick(result: Result, results: Sequence[Result]) -> Result | None:
	"""What this result is compared with: the case it names, or the best measured peer of its group."""
	measured = [other for other in results if other.median]
	if name := result.case.yardstick:
		return next((other for other in measured if other.case.name == name), None)
	group = result.case.group
	peers = [other for other in measured if other.case.group == group and other.case.role is Role.PEER]
	medians = tuple(other.median or 0.0 for other in peers)
	return peers[medians.index(group.best(medians))] if peers else None


def ratio(result: Result, results: Sequence[Result]) -> float | None:
	"""How many times the yardstick's speed; above 1 is faster, whatever the unit."""
	other = yardstick(result, results)
	if other is None or not result.median or not other.median:
		return None
	if result.case.group.lower_is_better:
		return other.median / result.median
	return result.median / other.median


def reached(result: Result, results: Sequence[Result]) -> bool | None:
	"""Whether the case's goal is reached; None when it has none or it cannot be told."""
	if result.case.goal is None or result.median is None:
		return None
	return result.case.goal.reached(result.median, ratio(result, results))
