from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogan_agents.engine.order import QUANTUM, Flow, Queue, band, front, keys

NOW = 1_700_000_000_000_000
QUEUE = Queue("t", "k", "1 = 1", ())


class Rows:
	"""A queue in memory, for the ends that `order` asks for."""

	def __init__(self) -> None:
		self.rows: list[tuple[int, str]] = []  # key, fair key

	def query(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[int, int]]:
		left = list(params)
		parts = enumerate(sql.split(" UNION ALL "))
		return [(number, key) for number, part in parts for key in self._end(part, left)]

	def _end(self, part: str, left: list[Any]) -> list[int]:
		flow = left.pop(0) if "fair_key = %s" in part else None
		low, high = left.pop(0), left.pop(0)
		found = [key for key, name in self.rows if low < key < high and flow in (None, name)]
		return [max(found) if "DESC" in part else min(found)] if found else []

	def put(self, flows: list[Flow]) -> list[int]:
		given = keys(self, QUEUE, flows, NOW)
		self.rows += [(key, flow.fair_key) for key, flow in zip(given, flows, strict=True)]
		return given

	def order(self) -> list[str]:
		return [flow for _, flow in sorted(self.rows)]


@pytest.mark.parametrize(("priority", "same_as"), [(-1, 0), (10, 9), (99, 9)])
def test_priorities_out_of_range_are_the_nearest(priority, same_as):
	assert band(priority) == band(same_as)


def test_bands_follow_each_other_and_fit_a_bigint():
	bands = [band(priority) for priority in range(9, -1, -1)]
	assert all(high == low for (_, high), (low, _) in pairwise(bands))
	assert bands[-1][1] < 2**63
	assert bands[0][0] + NOW * 100 < bands[0][1]  # centuries


def test_a_higher_priority_comes_first():
	rows = Rows()
	rows.put([Flow(0, "low"), Flow(9, "high"), Flow(5, "middle")])
	assert rows.order() == ["high", "middle", "low"]


def test_one_of_another_flow_does_not_wait_for_ten_thousand():
	rows = Rows()
	rows.put([Flow(5, "many")] * 10_000)
	rows.put([Flow(5, "one")])
	assert rows.order().index("one") <= 1


def test_weights_are_shares():
	rows = Rows()
	rows.put([Flow(5, "double", 2.0)] * 200)
	rows.put([Flow(5, "single", 1.0)] * 200)
	first = rows.order()[:90]
	assert 58 <= first.count("double") <= 62


def test_a_flow_that_returns_has_no_credit():
	rows = Rows()
	rows.put([Flow(5, "a")] * 100)
	rows.rows = sorted(rows.rows)[50:]
	(key,) = rows.put([Flow(5, "late")])
	assert key == min(rows.rows)[0]


@given(
	st.lists(st.sampled_from([Flow(5, "a"), Flow(5, "b", 3.0), Flow(2, "a"), Flow(7, "c", 0.1)]), min_size=1)
)
def test_keys_of_a_flow_grow_and_stay_in_their_band(flows):
	rows = Rows()
	given_keys = rows.put(flows[: len(flows) // 2]) + rows.put(flows[len(flows) // 2 :])
	for flow in set(flows):
		mine = [key for key, other in zip(given_keys, flows, strict=True) if other == flow]
		assert mine == sorted(set(mine))
		assert all(band(flow.priority)[0] < key < band(flow.priority)[1] for key in mine)


def test_the_front_is_right_behind_the_head_and_spaced():
	rows = Rows()
	rows.put([Flow(5, "many")] * 100)
	given_keys = front(rows, QUEUE, [Flow(5, "back"), Flow(5, "back"), Flow(5, "other")], NOW)
	head = min(rows.rows)[0]
	assert given_keys == [head + 1, head + 1 + QUANTUM, head + 1]


def test_the_front_of_an_empty_queue():
	(key,) = front(Rows(), QUEUE, [Flow(5, "back")], NOW)
	assert band(5)[0] < key < band(5)[1]
