import pytest

from dogan_agents.engine.errors import StateError
from dogan_agents.engine.states import (
	RUN_ENDED,
	RUN_SOURCES,
	TASK_ACTIVE,
	TASK_ENDED,
	TASK_SOURCES,
	RunStatus,
	TaskStatus,
	check_run,
	check_task,
)

TASK_MOVES = """
Pending → Ready, Cancelled
Ready → Running, Blocked, Cancelled
Running → Ready, Waiting, Parked, Completed, Failed, Skipped, Cancelled
Waiting → Ready, Cancelled
Blocked → Ready, Cancelled
Parked → Ready, Cancelled
Failed → Ready
Cancelled → Ready, Pending
"""
RUN_MOVES = """
Queued → Running, Waiting, Failed, Cancelled
Running → Running, Waiting, Completed, Failed, Cancelled
Waiting → Running, Waiting, Completed, Failed, Cancelled
Failed → Queued, Running, Compensated
Cancelled → Queued, Running
"""


def pairs(table: str) -> set[tuple[str, str]]:
	lines = [line.split(" → ") for line in table.strip().splitlines()]
	return {(source, target) for source, targets in lines for target in targets.split(", ")}


@pytest.mark.parametrize(
	("states", "check", "moves"),
	[(TaskStatus, check_task, TASK_MOVES), (RunStatus, check_run, RUN_MOVES)],
	ids=["task", "run"],
)
def test_exactly_these_moves_are_allowed(states, check, moves):
	allowed = set()
	for source in states:
		for target in states:
			try:
				check(source.value, target)
				allowed.add((source.value, target.value))
			except StateError as error:
				assert source.value in str(error) and target.value in str(error)
	assert allowed == pairs(moves)


def test_every_state_has_its_sources():
	assert set(TASK_SOURCES) == set(TaskStatus)
	assert set(RUN_SOURCES) == set(RunStatus)


def test_ended_and_active_are_apart():
	assert not TASK_ENDED & TASK_ACTIVE
	assert {status.value for status in RUN_ENDED} == {"Completed", "Failed", "Cancelled", "Compensated"}
