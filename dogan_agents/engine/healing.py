"""What is mended by itself, so that people can read about it: the words for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

TASKS_WATCHED = 100  # of an event; the others will fare like them


class Kind(str, Enum):
	"""What had gone wrong."""

	WORKER_DIED = "Worker Died"
	TASKS_ORPHANED = "Tasks Orphaned"  # Running, by a worker that has no row
	TASK_PARKED = "Task Parked"  # it killed its worker again and again
	WAKE_UP_LOST = "Wake-up Lost"  # there was work, and nobody came
	RESERVATION_LOST = "Reservation Lost"  # a drain was queued, and its RQ job is gone
	LEADER_LOST = "Leader Lost"
	TASKS_REPLACED = "Tasks Re-placed"  # they waited for a node that takes no work
	DEADLOCK = "Deadlock"
	WRITE_REFUSED = "Late Write Refused"  # of a worker that had been declared dead
	DATABASE_LOST = "Database Lost"
	REDIS_LOST = "Redis Lost"
	REDIS_WIPED = "Redis Wiped"
	NODE_LATE = "Node Late"
	NODE_DIED = "Node Died"
	AGENT_FAILING = "Agent Failing"  # the circuit breaker has opened
	SCHEDULER_SILENT = "Scheduler Silent"
	LOCK_RELEASED = "Lock Released"  # by force


class Helped(str, Enum):
	UNKNOWN = "Unknown"
	YES = "Yes"
	NO = "No"


class What(str, Enum):
	"""What is looked at later, to know whether it helped, and what must be true of it then."""

	TASKS = "tasks"  # have ended
	POOL = "pool"  # has nothing left that was ready at the time of the event
	NODE = "node"  # beats again
	LEFT = "left"  # nothing is counted as running on that node any more
	AGENT = "agent"  # its breaker has closed


@dataclass(frozen=True, slots=True)
class Watch:
	what: What
	names: tuple[str, ...]

	@classmethod
	def tasks(cls, names: Sequence[str]) -> "Watch | None":
		return cls(What.TASKS, tuple(names[:TASKS_WATCHED])) if names else None
