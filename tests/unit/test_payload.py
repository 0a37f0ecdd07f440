import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from dogan_agents.engine import payload
from dogan_agents.engine.errors import PayloadError

JSON = st.recursive(
	st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
	lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
	max_leaves=10,
)


class Model(BaseModel):
	when: date
	amount: Decimal


@given(JSON)
def test_json_comes_back_as_it_went(value):
	assert payload.loads(payload.dumps(value, "x")) == value


@pytest.mark.parametrize(
	("value", "text"),
	[
		({"b": 1, "a": [1, 2]}, '{"b":1,"a":[1,2]}'),
		("Müller", '"Müller"'),
		(datetime(2024, 1, 2, 3, 4, 5), '"2024-01-02T03:04:05"'),
		(date(2024, 1, 2), '"2024-01-02"'),
		(time(3, 4), '"03:04:00"'),
		(timedelta(minutes=1), "60.0"),
		(Decimal("1.5"), "1.5"),
		({3, 1, 2}, "[1,2,3]"),
		(Model(when=date(2024, 1, 2), amount=Decimal("1.50")), '{"when":"2024-01-02","amount":"1.50"}'),
	],
)
def test_what_an_erp_returns_has_a_json_form(value, text):
	assert payload.dumps(value, "x") == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes", {(1, 2): 3}, lambda: 1])
def test_what_has_none_is_refused_by_name(value):
	with pytest.raises(PayloadError, match="The output of step a is not JSON"):
		payload.dumps({"k": value}, "The output of step a")


def test_a_circle_is_refused():
	value: list = []
	value.append(value)
	with pytest.raises(PayloadError, match="not JSON"):
		payload.dumps(value, "x")


@pytest.mark.parametrize("character", ["x", "ü", "€", "😀"])
def test_one_megabyte_is_the_limit_in_bytes(character):
	fits = character * ((payload.MAX_BYTES - 2) // len(character.encode()))
	assert len(payload.dumps(fits, "x").encode()) <= payload.MAX_BYTES
	with pytest.raises(PayloadError, match=r"The input is 1\.00 MB; at most 1 MB"):
		payload.dumps(fits + character, "The input")


def test_lone_surrogates_of_broken_mail_become_storable():
	text = payload.dumps({"name": "a\udce4b", "\ud800": 1}, "x")
	text.encode()
	assert json.loads(text) == {"name": "a\ufffdb", "\ufffd": 1}


@pytest.mark.parametrize("text", [None, ""])
def test_nothing_is_none(text):
	assert payload.loads(text) is None
