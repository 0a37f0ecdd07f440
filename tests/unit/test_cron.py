from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dogan_agents.engine.cron import check_cron, last_due
from dogan_agents.engine.errors import SpecError

AT = datetime(2024, 3, 15, 10, 7, 42)  # a Friday


@pytest.mark.parametrize(
	"line", ["* * * * *", "*/5 9-17 * * mon-fri", "0 0 29 2 *", "30 4 1,15 * 5", "0 0 l * *"]
)
def test_good_lines(line):
	check_cron(line)


@pytest.mark.parametrize(
	"line",
	[
		"",
		"* * * *",
		"* * * * * *",
		"61 * * * *",
		"a b c d e",
		"0 0 31 2 *",
		"@daily",
		"*/0 * * * *",
		"0 0 * * 9",
	],
)
def test_bad_lines_are_refused_in_their_field(line):
	with pytest.raises(SpecError) as refused:
		check_cron(line)
	assert refused.value.field == "cron"


@pytest.mark.parametrize(
	("line", "due"),
	[
		("* * * * *", "2024-03-15 10:07"),
		("7 * * * *", "2024-03-15 10:07"),
		("8 * * * *", "2024-03-15 09:08"),
		("*/5 * * * *", "2024-03-15 10:05"),
		("0 9 * * mon", "2024-03-11 09:00"),
		("0 0 29 2 *", "2024-02-29 00:00"),
	],
)
def test_last_due(line, due):
	assert f"{last_due(line, AT):%Y-%m-%d %H:%M}" == due


@given(st.integers(0, 59), st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)))
def test_last_due_is_never_later_nor_more_than_an_hour_ago(minute, at):
	due = last_due(f"{minute} * * * *", at)
	assert due.minute == minute
	assert timedelta(0) <= at - due < timedelta(hours=1)
