"""What any host reads from the DocTypes' tables: definitions and settings, kept for a moment."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from dogan_agents.cluster.breaker import OUTSIDE
from dogan_agents.cluster.cache import Cache
from dogan_agents.cluster.node import may_claim
from dogan_agents.cluster.placement import Placer
from dogan_agents.cluster.state import Scope, State
from dogan_agents.engine import payload
from dogan_agents.engine.action import Action, Context
from dogan_agents.engine.errors import NotFound
from dogan_agents.engine.healing import Helped, Kind, Watch
from dogan_agents.engine.place import Nowhere, Place, PlaceRequest
from dogan_agents.engine.ports import AgentSpec, Database, ErrorKind, PoolSpec, Settings
from dogan_agents.engine.spec import WorkflowSpec, load_definition
from dogan_agents.host import breakers, healing, nodes
from dogan_agents.host.mariadb import MariaDB

T = TypeVar("T")
DEFINITIONS = "definitions"  # the group of the cache that has the versions of workflows
IDLE_SECONDS = 10  # of the engine's own transactions, which are short
KEEP_NODES_SECONDS = 1.0
KEEP_SECONDS = 2.0  # how late a change on the desk may come into force
LOOK_BACK_SECONDS = 5.0
SPECS_KEPT = 500
KEEP_SPEC_SECONDS = 5.0
PERIODS = {"Second": 1.0, "Minute": 60.0, "Hour": 3600.0, "Day": 86400.0}


class TableHost:
	"""Base of the hosts: threads' own connections, and what the engine needs to know from the tables."""

	actions: Mapping[str, Action]
	work: Database
	cache: Cache | None = None  # for a host that reads only what is committed

	def __init__(self, parameters: Mapping[str, Any], node: str):
		self.node = node
		self._parameters = parameters
		self._threads = threading.local()
		self._placer = Placer()
		self._kept: dict[Any, tuple[float, Any]] = {}
		self._specs: OrderedDict[str, tuple[float, WorkflowSpec]] = OrderedDict()
		self._look_back_at = 0.0

	@property
	def own(self) -> Database:
		return self.beside

	@property
	def beside(self) -> Database:
		"""This thread's connection beside any transaction: it sees what is committed by now."""
		if not hasattr(self._threads, "database"):
			self._threads.database = MariaDB(self._parameters, idle=IDLE_SECONDS)
		database: Database = self._threads.database
		return database

	def spec(self, version: str) -> WorkflowSpec:
		"""A version is frozen, but its name may come again when its workflow was deleted and made anew."""
		until, spec = self._specs.get(version, (0.0, None))
		if spec is None or time.monotonic() > until:
			spec = self._read_spec(version)
			self._specs[version] = (time.monotonic() + KEEP_SPEC_SECONDS, spec)
			if len(self._specs) > SPECS_KEPT:
				self._specs.popitem(last=False)
		return spec

	def _read_spec(self, version: str) -> WorkflowSpec:
		read = partial(self._read_definition, version)
		if self.cache is None:
			return load_definition(read())
		return load_definition(self.cache.get(DEFINITIONS, version, read, self.settings().cache_ttl))

	def _read_definition(self, version: str) -> Any:
		rows = self.own.query(
			"SELECT definition FROM `tabDogan Workflow Version` WHERE name = %s", (version,)
		)
		if not rows:
			raise NotFound(f"There is no workflow version {version}.")
		return payload.loads(rows[0][0])

	def state(self, context: Context) -> State:
		return self.state_of(Scope.RUN, context.run["name"], context.run["workflow"], context.user)

	def state_of(self, scope_type: Scope, scope: str, workflow: str, user: str) -> State:
		"""Of a run, with its workflow's beside it, or of a workflow."""
		of_workflow = State(self.work, Scope.WORKFLOW, workflow, user=user, today=self._now)
		if scope_type is Scope.WORKFLOW:
			return of_workflow
		return State(self.work, Scope.RUN, scope, user=user, today=self._now, workflow=of_workflow)

	def _now(self) -> datetime:
		return self.local(int(time.time() * 1_000_000))

	def local(self, us: int) -> datetime:
		raise NotImplementedError

	def log(self, message: str) -> None:
		raise NotImplementedError

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
		self._write_down(
			healing.Mended(Kind(kind), subject, seen, done, Helped(helped), watch, count, same_for)
		)

	def _write_down(self, mended: healing.Mended) -> None:
		self.log(f"{mended.kind.value}: {mended.seen} {mended.done}")
		alarm = self._beside_all(lambda db: healing.write(db, self.node, self.local, mended))
		if alarm:
			self._beside_all(lambda db: self.raise_alarm(db, alarm))

	def raise_alarm(self, db: Database, alarm: healing.Alarm) -> None:
		self.log(f"{alarm.kind}, {alarm.subject}: {alarm.count} times within an hour")

	def look_back(self) -> None:
		if time.monotonic() > self._look_back_at:
			self._look_back_at = time.monotonic() + LOOK_BACK_SECONDS
			self._beside_all(healing.look_back)

	def look_around(self) -> None:
		"""Nothing by itself."""

	def held_back(self, agent: str) -> float:
		return self._beside_all(lambda db: breakers.held_back(db, self.local, agent)) or 0.0

	def ended(self, agent: str, kinds: Sequence[ErrorKind | None]) -> None:
		spec = self.agent(agent)
		if spec is None or not (spec.troubled or OUTSIDE.intersection(kinds)):
			return
		mended = self._beside_all(lambda db: breakers.ended(db, self.local, agent, kinds))
		self._kept.pop(("agent", agent), None)
		if mended:
			self._write_down(mended)

	def _beside_all(self, work: Callable[[Database], T]) -> T | None:
		"""What nobody's work may fail for; no connection stays in the middle of something."""
		try:
			return work(self.beside)
		except Exception as error:
			self.beside.reset()
			self.log(f"{getattr(work, '__qualname__', 'healing')}: {error}")
			return None

	def settings(self) -> Settings:
		return self._keep("settings", self._read_settings)

	def pool(self, name: str) -> PoolSpec:
		return self._keep(("pool", name), lambda: self._read_pool(name))

	def agent(self, name: str) -> AgentSpec | None:
		return self._keep(("agent", name), lambda: self._read_agent(name))

	def place(self, pool: str, requests: Sequence[PlaceRequest]) -> Sequence[Place | Nowhere]:
		seen = self._nodes()
		places = self._placer.place(seen.views(pool), requests, seen.unhealthy())
		seen.given(places)
		return places

	def may_perform(self, pool: str, node: str) -> bool:
		return self._nodes().may_perform(pool, node)

	def _nodes(self) -> nodes.Nodes:
		return self._keep("nodes", lambda: nodes.read(self.own), KEEP_NODES_SECONDS)

	def may_claim(self) -> bool:
		return self._keep("may claim", lambda: may_claim(self.own, self.node))

	def max_concurrent(self, workflow: str) -> int:
		return self._keep(("workflow", workflow), lambda: self._read_max_concurrent(workflow))

	def _keep(self, key: Any, read: Callable[[], T], seconds: float | None = None) -> T:
		until, value = self._kept.get(key, (0.0, None))
		if time.monotonic() > until:
			value = read()
			self._kept[key] = (time.monotonic() + (KEEP_SECONDS if seconds is None else seconds), value)
		return value  # type: ignore[no-any-return]

	def _read_settings(self) -> Settings:
		rows = self.own.query("SELECT field, value FROM tabSingles WHERE doctype = 'Dogan Settings'")
		given = {
			field: int(value) for field, value in rows if field in Settings.__slots__ and value is not None
		}
		return Settings(**{**given, "enabled": bool(given.get("enabled", 1))})

	def _read_pool(self, name: str) -> PoolSpec:
		rows = self.own.query(
			"SELECT enabled, queue, max_workers, time_slice, idle_seconds FROM `tabDogan Pool` WHERE name = %s",
			(name,),
		)
		if not rows:
			return PoolSpec(name)
		enabled, queue, most, time_slice, idle = rows[0]
		return PoolSpec(name, bool(enabled), queue, most, float(time_slice), float(idle))

	def _read_agent(self, name: str) -> AgentSpec | None:
		rows = self.own.query(
			"SELECT enabled, user, max_concurrent, rate_limit, rate_period, breaker_memory IS NOT NULL "
			"FROM `tabDogan Agent` WHERE name = %s",
			(name,),
		)
		if not rows:
			return None
		enabled, user, most, limit, period, troubled = rows[0]
		actions = self.own.query("SELECT action FROM `tabDogan Agent Action` WHERE parent = %s", (name,))
		return AgentSpec(
			name,
			bool(enabled),
			user or None,
			most,
			limit,
			PERIODS.get(period, 60.0),
			frozenset(row[0] for row in actions),
			bool(troubled),
		)

	def _read_max_concurrent(self, workflow: str) -> int:
		rows = self.own.query("SELECT max_concurrent FROM `tabDogan Workflow` WHERE name = %s", (workflow,))
		return int(rows[0][0]) if rows else 0
