from datetime import datetime, timezone

import pytest
from pydantic import ValidationError

from dogan_agents.actions.wait import WaitInput, wait
from dogan_agents.engine.action import Context
from dogan_agents.engine.errors import Suspend

NOW = 1_700_000_000_000_000


def make_context(waited_until: int = 0) -> Context:
	return Context(
		run={}, task="t", step="s", agent=None, user="u", attempt=1, waited_until=waited_until, now=NOW
	)


@pytest.mark.parametrize(
	("data", "due"),
	[
		({"seconds": 90}, NOW + 90_000_000),
		({"seconds": 0.5}, NOW + 500_000),
		({}, NOW),
		({"until": "2030-01-01T00:00:00Z"}, 1_893_456_000_000_000),
		({"until": "2030-01-01T02:00:00+02:00"}, 1_893_456_000_000_000),
		({"until": "2030-01-01T00:00:00"}, 1_893_456_000_000_000),
	],
)
def test_it_suspends_the_step(data, due):
	with pytest.raises(Suspend) as suspended:
		wait(make_context(), WaitInput(**data))
	assert suspended.value.due == due


def test_after_the_wait_it_says_until_when():
	output = wait(make_context(waited_until=NOW), WaitInput(seconds=90))
	assert output.waited_until == datetime.fromtimestamp(NOW / 1e6, timezone.utc)


@pytest.mark.parametrize(
	"data",
	[
		{"seconds": -1},
		{"seconds": 1e9},
		{"until": "soon"},
		{"hours": 1},
		{"seconds": 1, "until": "2030-01-01"},
	],
)
def test_refused(data):
	with pytest.raises(ValidationError):
		WaitInput(**data)
