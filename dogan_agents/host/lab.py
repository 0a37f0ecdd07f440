"""The lab host: the engine on a private MariaDB and Redis, without Frappe."""

import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel
from redis import Redis
from rq import Queue, get_current_job

from dogan_agents.cluster.cache import Cache
from dogan_agents.engine.action import Action, Context, registry
from dogan_agents.engine.classify import classify
from dogan_agents.engine.drain import drain
from dogan_agents.engine.ports import Database, ErrorKind, PoolSpec
from dogan_agents.host.hands import RedisHands, node_queue
from dogan_agents.host.mariadb import MariaDB
from dogan_agents.host.queues import asked_to_stop
from dogan_agents.host.tables import TableHost
from dogan_agents.lab.config import LabConfig

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NODE = "DOGAN_NODE"
ACTIONS = (
	"dogan_agents.lab.actions.trivial",
	"dogan_agents.lab.actions.effect",
	"dogan_agents.lab.actions.lead",
	"dogan_agents.lab.actions.reply",
	"dogan_agents.lab.actions.pause",
	"dogan_agents.lab.actions.fault",
	"dogan_agents.actions.wait.wait",
)

database: ContextVar[Database] = ContextVar("database")
"""The transaction of the step that is being performed, for the lab's actions."""


class LabHost(TableHost):
	def __init__(self, config: LabConfig, node: str = "", actions: Mapping[str, Action] | None = None):
		super().__init__(config.parameters, node or os.environ.get(NODE) or socket.gethostname())
		self.config = config
		self.work: Database = MariaDB(config.parameters)
		self.actions = registry(ACTIONS) if actions is None else actions
		self.redis = Redis.from_url(config.redis_url, socket_timeout=10)
		quick = Redis.from_url(config.redis_url, socket_timeout=1)
		self.cache = Cache(quick, "lab", lambda: self.settings().cache_ttl, self.log)
		self.hands = RedisHands(
			self.redis, "lab", self._enqueue, self.pool, self.log, node=self.node, healed=self.healed
		)

	def local(self, us: int) -> datetime:
		return (EPOCH + timedelta(microseconds=us)).replace(tzinfo=None)

	@contextmanager
	def group(self) -> Iterator[None]:
		self.work.begin()
		token = database.set(self.work)
		try:
			yield
			self.work.commit()
		except BaseException:
			self.work.rollback()
			raise
		finally:
			database.reset(token)

	@contextmanager
	def step(self, context: Context, action: Action) -> Iterator[None]:
		if action.pure:
			yield
			return
		self.work.execute("SAVEPOINT step")
		try:
			yield
		except BaseException as error:
			if classify(error) not in (ErrorKind.DEADLOCK, ErrorKind.CONNECTION, ErrorKind.TIMEOUT):
				self.work.execute("ROLLBACK TO SAVEPOINT step")
			raise

	def call(self, action: Action, context: Context, data: BaseModel) -> Any:
		return action.function(context, data)

	def classify(self, error: BaseException) -> ErrorKind:
		return classify(error)

	def message(self, error: BaseException) -> str:
		return f"{type(error).__name__}: {error}"

	def failed(self, run: str, step: str, user: str, kind: ErrorKind, message: str, ask: bool) -> None:
		self.log(f"{run} {step}: {kind.value}: {message}")

	def log(self, message: str) -> None:
		logging.getLogger("dogan_agents").info(message)

	def _enqueue(self, pool: PoolSpec, job: str, node: str) -> None:
		Queue(node_queue(node) if node else pool.queue, connection=self.redis).enqueue_call(
			drain_job,
			args=(pool.name, job),
			job_id=job,
			timeout=-1,
			result_ttl=0,
			failure_ttl=60,
		)


def drain_job(pool: str, job: str) -> None:
	"""The RQ job of the lab, by a worker that has the lab in its environment."""
	host = LabHost(LabConfig.from_env())
	host.hands.begun(pool, job)
	current = get_current_job()
	worker = current.worker_name if current else None
	drain(host, pool, stop=asked_to_stop(host.redis, worker), rq_worker=worker)
