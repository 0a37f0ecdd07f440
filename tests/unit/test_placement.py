"""Placing tasks on nodes: pure decisions."""

import random
from collections import Counter

import pytest

from dogan_agents.cluster.placement import NodeView, Placer, rendezvous
from dogan_agents.engine.place import ANYWHERE, Nowhere, Place, PlaceRequest, Policy, affinity, parse_labels

NODES = [
	NodeView("a", labels={"region": "eu", "gpu": "1"}),
	NodeView("b", labels={"region": "eu"}),
	NodeView("c", labels={"region": "us"}),
]


def counts(request: PlaceRequest, nodes: list[NodeView] = NODES, times: int = 300) -> Counter[str]:
	answers = Placer(random.Random(1)).place(nodes, [request] * times)
	return Counter(answer.node for answer in answers if isinstance(answer, Place) and answer.node)


@pytest.mark.parametrize("policy", [Policy.ROUND_ROBIN, Policy.LEAST_LOADED, Policy.WEIGHTED])
def test_equal_nodes_get_the_same(policy):
	assert set(counts(PlaceRequest(policy)).values()) == {100}


@pytest.mark.parametrize("policy", [Policy.WEIGHTED, Policy.LEAST_LOADED])
def test_a_node_gets_by_its_weight(policy):
	nodes = [NodeView("a", 1.0), NodeView("b", 3.0)]
	assert counts(PlaceRequest(policy), nodes, 400) == {"a": 100, "b": 300}


def test_round_robin_looks_at_no_weight():
	assert counts(PlaceRequest(Policy.ROUND_ROBIN), [NodeView("a", 1.0), NodeView("b", 3.0)], 10) == {
		"a": 5,
		"b": 5,
	}


def test_the_least_loaded_catches_up_first():
	nodes = [NodeView("a", load=50), NodeView("b", load=0)]
	assert counts(PlaceRequest(Policy.LEAST_LOADED), nodes, 60) == {"b": 55, "a": 5}


@pytest.mark.parametrize(
	("request_", "answer"),
	[
		(PlaceRequest(Policy.NODE, "b"), Place("b", False)),
		(PlaceRequest(Policy.NODE, "b", True), Place("b", True)),
		(PlaceRequest(Policy.NODE, "z"), ANYWHERE),
		(PlaceRequest(Policy.NODE, "z", True), Nowhere("node z is not there")),
		(PlaceRequest(Policy.NODE, "ill", True), Nowhere("node ill takes no work now")),
		(PlaceRequest(Policy.LABEL, "gpu=1", True), Place("a", True)),
		(PlaceRequest(Policy.LABEL, "region=us"), Place("c", False)),
		(PlaceRequest(Policy.LABEL, "region=mars"), ANYWHERE),
		(
			PlaceRequest(Policy.LABEL, "region=eu, gpu=2", True),
			Nowhere("no healthy node has region=eu, gpu=2"),
		),
	],
)
def test_named_and_labelled(request_, answer):
	assert Placer().place(NODES, [request_], frozenset({"ill"})) == [answer]


@pytest.mark.parametrize(
	"policy", [Policy.ROUND_ROBIN, Policy.LEAST_LOADED, Policy.WEIGHTED, Policy.AFFINITY]
)
def test_without_nodes_anybody_may(policy):
	assert Placer().place([], [PlaceRequest(policy, "k")]) == [ANYWHERE]


def test_affinity_moves_only_what_it_must():
	keys = [affinity(n) for n in range(3000)]
	before = {key: rendezvous(NODES, key).name for key in keys}
	without_c = {key: rendezvous(NODES[:2], key).name for key in keys}
	assert all(before[key] == without_c[key] for key in keys if before[key] != "c")
	shares = Counter(before.values())
	assert max(shares.values()) / (sum(shares.values()) / 3) < 1.1


def test_affinity_by_weight():
	nodes = [NodeView("a", 1.0), NodeView("b", 3.0)]
	shares = Counter(rendezvous(nodes, affinity(n)).name for n in range(4000))
	assert 0.7 < shares["b"] / 4000 < 0.8


@pytest.mark.parametrize(
	("text", "labels"),
	[
		("region=eu", {"region": "eu"}),
		("region=eu, gpu=1\nrack=r-7", {"region": "eu", "gpu": "1", "rack": "r-7"}),
		("", {}),
		("region", None),
		("a=b=c", None),
	],
)
def test_labels(text, labels):
	assert parse_labels(text) == labels


def test_a_request_comes_back_as_it_went():
	request = PlaceRequest(Policy.LABEL, "région=é", True)
	assert PlaceRequest.decode(request.encode()) == request
