"""How many workers a node should have: a decision from what is seen, and nothing else."""

import math
from dataclasses import dataclass

MOST_WORKERS = 500


@dataclass(frozen=True, slots=True)
class Policy:
	wait: float = 1.0  # seconds that work may wait before another worker is worth it
	cool_down: float = 30.0  # seconds of idling before workers are let go
	full_memory: float = 90.0  # percent; beyond it nobody is added
	full_cpu: float = 95.0  # percent; beyond it a worker is added only to what has waited for long
	long: float = 10.0  # seconds


DEFAULT = Policy()


@dataclass(frozen=True, slots=True)
class Demand:
	"""What waits for this node's workers, and what the node may do about it."""

	least: int
	most: int
	waiting: int = 0  # ready tasks that this node may take, and jobs in its queues
	waited: float = 0.0  # seconds, the longest of them
	cpu: float = 0.0
	memory: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
	workers: int
	calm_since: float  # since when workers have been idle and nothing has waited


def decide(
	demand: Demand, workers: int, busy: int, calm_since: float, now: float, policy: Policy
) -> Decision:
	"""How many workers there should be; half as many more at a time, and half of the idle ones fewer."""
	calm = workers > busy and not demand.waiting
	if not calm:
		calm_since = now
	if _wants_more(demand, workers, busy, policy):
		wanted = workers + min(max(1, workers // 2), demand.waiting)
	elif now - calm_since >= policy.cool_down:
		wanted, calm_since = workers - math.ceil((workers - busy) / 2), now
	else:
		wanted = workers
	return Decision(max(min(wanted, demand.most), min(demand.least, demand.most)), calm_since)


def _wants_more(demand: Demand, workers: int, busy: int, policy: Policy) -> bool:
	pressed = demand.waiting > 0 and (demand.waited >= policy.wait or demand.waiting > workers)
	if not pressed or busy < workers or demand.memory >= policy.full_memory:
		return False
	return demand.cpu < policy.full_cpu or demand.waited >= policy.long
