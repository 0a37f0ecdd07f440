"""What the engine asks of the host it runs in."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from pydantic import BaseModel

from dogan_agents.engine.action import Action, Context
from dogan_agents.engine.healing import Helped, Watch
from dogan_agents.engine.place import Nowhere, Place, PlaceRequest
from dogan_agents.engine.shared import SharedState
from dogan_agents.engine.spec import WorkflowSpec

Row = tuple[Any, ...]


class Database(Protocol):
	"""A connection to MariaDB. Parameters are `%s`; values come back as plain tuples."""

	@property
	def connection_id(self) -> int:
		"""The server's number of this connection, which is opened when there is none."""
		...

	def query(self, sql: str, params: Sequence[Any] = ()) -> Sequence[Row]: ...

	def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
		"""Run a statement and return the number of rows it changed."""
		...

	def begin(self) -> None: ...

	def commit(self) -> None: ...

	def rollback(self) -> None: ...

	def reset(self) -> None:
		"""Throw the connection away; the next statement opens a new one."""
		...


class ErrorKind(str, Enum):
	"""What went wrong with a step, as far as a policy has to know."""

	DEADLOCK = "Deadlock"
	LOCK_WAIT = "Lock wait"
	CONFLICT = "Conflict"  # the document was changed by somebody else meanwhile
	NAMING = "Naming clash"
	MANDATORY = "Missing field"
	VALIDATION = "Validation"
	PERMISSION = "Permission"
	CLOSED_PERIOD = "Closed period"
	NOT_FOUND = "Not found"
	INPUT = "Input"
	TIMEOUT = "Timeout"
	CONNECTION = "Connection"  # the database or Redis went away
	TEMPORARY = "Temporary"  # the action said so, or the network
	PERMANENT = "Permanent"  # the action said so
	PERSON = "Person"  # the action said that a person must decide
	CRASH = "Crash"  # the worker died while it performed the step
	UNKNOWN = "Error"


@dataclass(frozen=True, slots=True)
class Settings:
	enabled: bool = True
	max_agents: int = 0
	default_max_attempts: int = 3
	default_timeout: int = 300  # seconds
	workers_per_node_min: int = 1
	workers_per_node_max: int = 4
	cache_ttl: int = 60  # seconds; 0 = nothing is kept


@dataclass(frozen=True, slots=True)
class PoolSpec:
	name: str
	enabled: bool = True
	queue: str = "default"
	max_workers: int = 0  # drains at once; 0 = no limit
	time_slice: float = 30.0  # seconds a drain works before it lets other jobs of the queue have the worker
	idle_seconds: float = 2.0  # seconds a drain waits for more work before it ends


@dataclass(frozen=True, slots=True)
class AgentSpec:
	name: str
	enabled: bool = True
	user: str | None = None
	max_concurrent: int = 0
	rate_limit: int = 0
	rate_period: float = 60.0  # seconds
	actions: frozenset[str] = frozenset()  # empty = every registered one
	troubled: bool = False  # its circuit breaker remembers failures, or is open


class Hands(Protocol):
	"""Wake-ups of workers. They may get lost: the sweep mends that."""

	def wake(self, pool: str, node: str = "") -> bool:
		"""Make sure that a drain of the pool is at work or on its way; on that very node, when one is named.

		True when there was none.
		"""
		...

	def spread(self, pool: str) -> None:
		"""There is more work than the drains at work can claim at once: call one more, within the pool's limit."""
		...

	def wait(self, pool: str, seconds: float) -> None:
		"""Return when the pool is woken, or after `seconds`."""
		...

	def alive(self, pool: str, worker: str, seconds: float) -> None:
		"""The worker's drain of the pool is at work, and will be for `seconds` unless it says so again."""
		...

	def gone(self, pool: str, worker: str, node: str = "") -> None:
		"""That drain is at work no more; `node` when it was another one's than ours."""
		...

	def take(self, key: str, limit: int, period: float) -> float:
		"""Take a token from a bucket of `limit` tokens a `period`; seconds until there is one, 0 when taken."""
		...

	def mark(self) -> str | None:
		"""What was left there to see whether all is forgotten: None. An exception while nobody answers."""
		...

	def leave_mark(self) -> str:
		"""Leave a mark where there is none; the one that is there now."""
		...


class Host(Protocol):
	"""The place the engine runs in: a Frappe site, or the lab."""

	node: str
	work: Database  # the transaction that the steps' documents, their results and the next steps share
	actions: Mapping[str, Action]

	@property
	def hands(self) -> Hands: ...

	@property
	def own(self) -> Database:
		"""This thread's connection for claims, leases and sweeps: READ COMMITTED, statements stand alone."""
		...

	def local(self, us: int) -> datetime:
		"""A time (µs, UTC) as the site's users read it, without a zone, for a Datetime column."""
		...

	def spec(self, version: str) -> WorkflowSpec: ...

	def max_concurrent(self, workflow: str) -> int:
		"""The workflow's limit as it is now: a change is in force for runs that were queued before it, too."""
		...

	def place(self, pool: str, requests: Sequence[PlaceRequest]) -> Sequence[Place | Nowhere]:
		"""A node for each task that asks for one, among those that are healthy and serve the pool."""
		...

	def may_perform(self, pool: str, node: str) -> bool:
		"""Whether the node is healthy, takes work, and serves the pool."""
		...

	def may_claim(self) -> bool:
		"""Whether this node may begin anything: it is neither cordoned nor draining, and its node process lives."""
		...

	def settings(self) -> Settings: ...

	def pool(self, name: str) -> PoolSpec: ...

	def agent(self, name: str) -> AgentSpec | None: ...

	def step(self, context: Context, action: Action) -> AbstractContextManager[None]:
		"""Perform one step inside: as its user, and so that its exception leaves nothing behind."""
		...

	def call(self, action: Action, context: Context, data: BaseModel) -> Any: ...

	def state(self, context: Context) -> SharedState:
		"""What the run's steps share, in the step's transaction."""
		...

	def group(self) -> AbstractContextManager[None]:
		"""A group of steps performed in one transaction: what they left for after the commit happens after it."""
		...

	def classify(self, error: BaseException) -> ErrorKind: ...

	def message(self, error: BaseException) -> str:
		"""The error as a person should read it, without secrets."""
		...

	def held_back(self, agent: str) -> float:
		"""Seconds that the agent's circuit breaker wants its next step to wait; 0 when it may act now."""
		...

	def ended(self, agent: str, kinds: Sequence[ErrorKind | None]) -> None:
		"""Tell the agent's circuit breaker how steps of its ended, after the commit; None: well. Never raises."""
		...

	def healed(
		self,
		kind: str,
		subject: str,
		seen: str,
		done: str,
		helped: str = Helped.UNKNOWN,
		*,
		watch: Watch | None = None,
		count: int = 1,
		same_for: float = 0.0,
	) -> None:
		"""Write down what was mended, outside any transaction. Never raises.

		The same kind and subject within an hour are one event that counts. Who else notices the same trouble within
		`same_for` seconds of the last one does not count. `watch` tells what shows later whether it helped.
		"""
		...

	def look_back(self) -> None:
		"""See of what was mended lately whether it helped."""
		...

	def look_around(self) -> None:
		"""Notice what only this host knows can go wrong. Called by the leader, each second."""
		...

	def failed(self, run: str, step: str, user: str, kind: ErrorKind, message: str, ask: bool) -> None:
		"""A step failed for good or was parked. With `ask`, a person must act: tell them, in this transaction."""
		...

	def log(self, message: str) -> None: ...
