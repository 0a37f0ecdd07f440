from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogan_agents.engine import graph
from dogan_agents.engine.errors import SpecError

DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
	"""Steps in a shuffled order, each after some of those before it."""
	count = draw(st.integers(1, 12))
	names = [f"s{number}" for number in range(count)]
	before = {
		name: tuple(draw(st.lists(st.sampled_from(names[:index]), unique=True))) if index else ()
		for index, name in enumerate(names)
	}
	return {name: before[name] for name in draw(st.permutations(names))}


def test_diamond():
	assert graph.successors(DIAMOND) == {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ()}
	assert graph.ancestors(DIAMOND, "d") == {"a", "b", "c"}
	assert graph.levels(DIAMOND) == {"a": 0, "b": 1, "c": 1, "d": 2}


@given(acyclic())
def test_order_puts_each_step_after_its_predecessors(predecessors):
	order = graph.topological(predecessors)
	assert sorted(order) == sorted(predecessors)
	for step, before in predecessors.items():
		assert all(order.index(name) < order.index(step) for name in before)


@given(acyclic())
def test_successors_turn_predecessors_round(predecessors):
	after = graph.successors(predecessors)
	assert {(a, b) for a, names in after.items() for b in names} == {
		(a, b) for b, names in predecessors.items() for a in names
	}


@given(acyclic())
def test_ancestors_are_those_of_the_predecessors_and_themselves(predecessors):
	for step, before in predecessors.items():
		known = graph.ancestors(predecessors, step)
		assert known == set(before).union(*(graph.ancestors(predecessors, name) for name in before))
		assert step not in known


@given(acyclic())
def test_a_level_is_one_after_the_latest_predecessor(predecessors):
	level = graph.levels(predecessors)
	for step, before in predecessors.items():
		assert level[step] == max((level[name] + 1 for name in before), default=0)


@given(acyclic(), st.data())
def test_a_way_back_is_a_cycle(predecessors, data):
	step = data.draw(st.sampled_from(sorted(predecessors)))
	back = data.draw(st.sampled_from([step, *sorted(graph.ancestors(predecessors, step))]))
	predecessors[back] = (*predecessors[back], step)
	with pytest.raises(SpecError) as refused:
		graph.topological(predecessors)
	names = refused.value.reason.removeprefix("the steps form a cycle: ").split(" → ")
	assert names[0] == names[-1]
	assert all(before in predecessors[after] for before, after in pairwise(names))
	assert refused.value.field == "depends_on" and refused.value.step in names
