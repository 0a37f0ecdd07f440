"""Which node a task goes to: pure decisions from the nodes as they are."""

import hashlib
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dogan_agents.engine.place import ANYWHERE, Nowhere, Place, PlaceRequest, Policy, matches, parse_labels


@dataclass(frozen=True, slots=True)
class NodeView:
	"""A node that may perform tasks of the pool."""

	name: str
	weight: float = 1.0
	labels: Mapping[str, str] = field(default_factory=dict)
	load: int = 0  # tasks that wait for it or run on it


class Placer:
	"""Remembers, in this process, whose turn it is. Processes begin at random, so that together they are even."""

	def __init__(self, chance: random.Random | None = None):
		self._chance = chance or random.Random()
		self._current: dict[str, float] = {}  # smooth weighted round robin

	def place(
		self,
		nodes: Sequence[NodeView],
		requests: Iterable[PlaceRequest],
		unhealthy: frozenset[str] = frozenset(),
	) -> list[Place | Nowhere]:
		"""An answer to each request; loads count up as tasks are given out. `unhealthy` nodes explain a Nowhere."""
		loads = {node.name: float(node.load) for node in nodes}
		return [self._one(nodes, loads, request, unhealthy) for request in requests]

	def _one(
		self,
		nodes: Sequence[NodeView],
		loads: dict[str, float],
		request: PlaceRequest,
		unhealthy: frozenset[str],
	) -> Place | Nowhere:
		fitting = _fitting(nodes, request)
		if not fitting:
			return Nowhere(_reason(request, unhealthy)) if request.required else ANYWHERE
		chosen = self._choose(fitting, loads, request)
		loads[chosen.name] += 1
		return Place(chosen.name, request.required)

	def _choose(
		self, nodes: Sequence[NodeView], loads: Mapping[str, float], request: PlaceRequest
	) -> NodeView:
		if request.policy is Policy.AFFINITY:
			return rendezvous(nodes, request.value)
		if request.policy is Policy.ROUND_ROBIN:
			return self._turn(nodes, dict.fromkeys((node.name for node in nodes), 1.0))
		if request.policy is Policy.WEIGHTED:
			return self._turn(nodes, {node.name: node.weight for node in nodes})
		return min(nodes, key=lambda node: (loads[node.name] / max(node.weight, 1e-9), node.name))

	def _turn(self, nodes: Sequence[NodeView], weights: Mapping[str, float]) -> NodeView:
		"""Smooth weighted round robin, as nginx has it: each gains its weight, the highest goes and pays the total."""
		total = sum(weights.values())
		for name, weight in weights.items():
			start = self._chance.random() * total
			self._current[name] = self._current.get(name, start) + weight
		chosen = max(nodes, key=lambda node: (self._current[node.name], node.name))
		self._current[chosen.name] -= total
		return chosen


def rendezvous(nodes: Sequence[NodeView], key: str) -> NodeView:
	"""Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): when nodes come or go, only what must moves."""
	return max(nodes, key=lambda node: (_score(node, key), node.name))


def _score(node: NodeView, key: str) -> float:
	digest = hashlib.blake2b(f"{node.name}\0{key}".encode(), digest_size=8).digest()
	uniform = (int.from_bytes(digest, "big") + 1) / (2**64 + 1)
	return -max(node.weight, 1e-9) / math.log(uniform)


def _fitting(nodes: Sequence[NodeView], request: PlaceRequest) -> Sequence[NodeView]:
	if request.policy is Policy.NODE:
		return [node for node in nodes if node.name == request.value]
	if request.policy is Policy.LABEL:
		wanted = parse_labels(request.value) or {}
		return [node for node in nodes if matches(node.labels, wanted)]
	return nodes


def _reason(request: PlaceRequest, unhealthy: frozenset[str]) -> str:
	if request.policy is Policy.NODE:
		what = "takes no work now" if request.value in unhealthy else "is not there"
		return f"node {request.value} {what}"
	if request.policy is Policy.LABEL:
		return f"no healthy node has {request.value}"
	return "no healthy node serves the pool"
