"""The benchmark's arithmetic and its report; nothing is measured here."""

import io
import json

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.case import Case, Goal, Group, Home, Result, Role
from benchmarks.cases.registry import CASES, chosen
from benchmarks.comparison import ratio, reached, yardstick

SPEED = Group("Speed", "steps/s")
DELAY = Group("Delay", "ms", lower_is_better=True)


def make_result(
	name: str,
	*figures: float,
	group: Group = SPEED,
	role: Role = Role.PEER,
	goal: Goal | None = None,
	yardstick: str = "",
	problem: str = "",
) -> Result:
	case = Case(
		name,
		f"The {name}",
		group,
		role,
		Home.OURS,
		"nowhere",
		"keeps all",
		("First.", "Second."),
		goal=goal,
		yardstick=yardstick,
	)
	return Result(case, 500, figures, {"package": "1.0"}, problem)


SLOW = make_result("slow", 90, 100, 500)
FAST = make_result("fast", 190, 200, 210)
OURS = make_result("ours", 600, 640, 590, role=Role.OURS, goal=Goal(ratio=3))
GONE = make_result("gone", problem="not to be had")


def test_median_and_best():
	assert (SLOW.median, SLOW.best) == (100, 500)
	assert (GONE.median, GONE.best) == (None, None)
	assert make_result("quick", 3, 1, 2, group=DELAY).best == 1


def test_a_ratio_is_to_the_best_peer_by_median():
	results = [SLOW, FAST, OURS, GONE]
	assert yardstick(OURS, results) is FAST
	assert ratio(OURS, results) == pytest.approx(3.0)
	assert ratio(SLOW, results) == pytest.approx(0.5)
	assert ratio(GONE, results) is None


def test_peers_of_another_work_are_no_yardstick():
	assert ratio(OURS, [OURS, make_result("other", 1, group=Group("Other", "steps/s"))]) is None


def test_a_named_yardstick_is_taken_from_any_group():
	backlog = make_result("backlog", 480, group=Group("Backlog", "steps/s"), yardstick="ours")
	assert ratio(backlog, [OURS, backlog, FAST]) == pytest.approx(0.8)
	assert ratio(backlog, [backlog, FAST]) is None


def test_where_lower_is_better_a_ratio_above_one_is_still_faster():
	peer, ours = make_result("peer", 100, group=DELAY), make_result("own", 20, group=DELAY, role=Role.OURS)
	assert ratio(ours, [peer, ours]) == pytest.approx(5.0)


@pytest.mark.parametrize(
	("figure", "goal", "expected"),
	[
		(600, Goal(ratio=3), True),
		(599, Goal(ratio=3), False),
		(149, Goal(under=150), True),
		(150, Goal(under=150), False),
		(600, None, None),
	],
)
def test_goals(figure: float, goal: Goal | None, expected: bool | None):
	ours = make_result("ours", figure, role=Role.OURS, goal=goal)
	assert reached(ours, [FAST, ours]) is expected


def test_a_goal_without_a_yardstick_cannot_be_told():
	assert reached(OURS, [OURS]) is None


def test_the_table_shows_ratios_goals_and_what_is_missing():
	output = io.StringIO()
	report.show([FAST, OURS, GONE], Console(file=output, width=150))
	lines = output.getvalue().splitlines()
	[ours] = [line for line in lines if "The ours" in line and "600" in line]
	assert "640" in ours and "3.00 ×" in ours and "reached" in ours and "keeps all" in ours
	assert any("The gone" in line and "missing" in line for line in lines)
	assert "gone: not to be had" in lines
	assert "  Second." in lines


def test_the_data_holds_every_round():
	data = json.loads(json.dumps(report.as_data([FAST, OURS])))
	assert data[1]["figures"] == [600, 640, 590]
	assert data[1]["compared_with"] == "fast"
	assert (data[1]["ratio"], data[1]["reached"]) == (3.0, True)


def test_the_cases_have_names_of_their_own():
	names = [case.name for case in CASES]
	assert len(set(names)) == len(names)
	assert chosen([]) == list(CASES)
	assert [case.name for case in chosen(["rq_"])] == ["rq_simple", "rq_forking"]


def test_a_slow_case_takes_fewer_runs():
	[naive] = chosen(["site_naive"])
	assert naive.runs(500) == 60
	assert naive.runs(10) == 10
