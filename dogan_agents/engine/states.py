"""The states of runs and tasks, and every transition that is allowed. Others are refused here and in SQL."""

from enum import Enum

from dogan_agents.engine.errors import StateError


class TaskStatus(str, Enum):
	PENDING = "Pending"  # predecessors have not all ended
	READY = "Ready"  # in the pool's queue
	RUNNING = "Running"  # claimed by a worker under a lease
	WAITING = "Waiting"  # for a timer (a wait or a retry's delay); holds no worker
	BLOCKED = "Blocked"  # over a limit; handed its slot when one is freed
	PARKED = "Parked"  # wants a person
	COMPLETED = "Completed"
	FAILED = "Failed"
	SKIPPED = "Skipped"  # its condition was false
	CANCELLED = "Cancelled"


class RunStatus(str, Enum):
	QUEUED = "Queued"  # not yet admitted
	RUNNING = "Running"
	WAITING = "Waiting"  # nothing to do until a timer, or a person
	COMPLETED = "Completed"
	FAILED = "Failed"
	CANCELLED = "Cancelled"
	COMPENSATED = "Compensated"  # failed, and what it had done was taken back


T, R = TaskStatus, RunStatus

TASK_ENDED = frozenset({T.COMPLETED, T.FAILED, T.SKIPPED, T.CANCELLED})
TASK_ACTIVE = frozenset({T.READY, T.RUNNING, T.BLOCKED})
RUN_ENDED = frozenset({R.COMPLETED, R.FAILED, R.CANCELLED, R.COMPENSATED})

TASK_SOURCES: dict[TaskStatus, frozenset[TaskStatus]] = {
	T.PENDING: frozenset({T.CANCELLED}),  # a retried run
	T.READY: frozenset({T.PENDING, T.RUNNING, T.WAITING, T.BLOCKED, T.PARKED, T.FAILED, T.CANCELLED}),
	T.RUNNING: frozenset({T.READY}),
	T.WAITING: frozenset({T.RUNNING}),
	T.BLOCKED: frozenset({T.READY}),
	T.PARKED: frozenset({T.RUNNING}),
	T.COMPLETED: frozenset({T.RUNNING}),
	T.FAILED: frozenset({T.RUNNING}),
	T.SKIPPED: frozenset({T.RUNNING}),
	T.CANCELLED: frozenset({T.PENDING, T.READY, T.RUNNING, T.WAITING, T.BLOCKED, T.PARKED}),
}

RUN_SOURCES: dict[RunStatus, frozenset[RunStatus]] = {
	R.QUEUED: frozenset({R.CANCELLED, R.FAILED}),  # never admitted
	R.RUNNING: frozenset({R.QUEUED, R.RUNNING, R.WAITING, R.FAILED, R.CANCELLED}),
	R.WAITING: frozenset({R.RUNNING, R.WAITING, R.QUEUED}),
	R.COMPLETED: frozenset({R.RUNNING, R.WAITING}),
	R.FAILED: frozenset({R.QUEUED, R.RUNNING, R.WAITING}),
	R.CANCELLED: frozenset({R.QUEUED, R.RUNNING, R.WAITING}),
	R.COMPENSATED: frozenset({R.FAILED}),
}


def check_task(source: str, target: TaskStatus) -> None:
	"""Raise StateError unless a task may go from `source` to `target`."""
	if TaskStatus(source) not in TASK_SOURCES[target]:
		raise StateError(f"A task that is {source} cannot become {target.value}.")


def check_run(source: str, target: RunStatus) -> None:
	"""Raise StateError unless a run may go from `source` to `target`."""
	if RunStatus(source) not in RUN_SOURCES[target]:
		raise StateError(f"A run that is {source} cannot become {target.value}.")
