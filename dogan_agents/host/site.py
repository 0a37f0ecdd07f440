"""The engine in a Frappe site."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils.background_jobs import execute_job, generate_qname, get_redis_conn
from pydantic import BaseModel
from rq import Queue

from dogan_agents.engine.action import Action, Context
from dogan_agents.engine.errors import ActionError, NotPermitted
from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.engine.ports import Database, ErrorKind, PoolSpec
from dogan_agents.engine.spec import WorkflowSpec
from dogan_agents.host import errors, scheduler
from dogan_agents.host.actions import SiteActions
from dogan_agents.host.alarm import notify
from dogan_agents.host.cache import shared_cache
from dogan_agents.host.callbacks import taken_back_on_error
from dogan_agents.host.database import DrainDatabase, SiteDatabase
from dogan_agents.host.hands import RedisHands, node_queue
from dogan_agents.host.healing import Alarm
from dogan_agents.host.node import node_name
from dogan_agents.host.tables import KEEP_SECONDS, TableHost

NO_ZONE = "Asia/Kolkata"  # what Frappe takes when the site has none
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
OWN_CONNECTION = ("user", "password", "database", "unix_socket", "host", "port", "ssl")
SAVEPOINT = "dogan_step"
LOOK_AROUND_SECONDS = 60.0
SCHEMA = ("app_hooks", "db_tables", "doctype_meta", "merged_translations", "table_columns")
FAILURE_TTL = 3600  # seconds RQ keeps what is left of a drain that failed


class SiteHost(TableHost):
	"""For a request or command: everything in its own transaction, so that it sees what it has just saved."""

	def __init__(self) -> None:
		settings = frappe.db.get_connection_settings()
		super().__init__({key: settings[key] for key in OWN_CONNECTION if key in settings}, node_name())
		self.site: str = frappe.local.site
		self.work: Database = SiteDatabase()
		self._prefix: str = generate_qname("")
		self._paths: tuple[str, str] = (frappe.local.sites_path, frappe.local.site_path)
		self._look_around_at = 0.0
		self._logger = frappe.logger("dogan_agents")
		self._logger.setLevel("INFO")
		self.actions = SiteActions(self._broken_action)

	@property
	def own(self) -> Database:
		return self.work

	def spec(self, version: str) -> WorkflowSpec:
		if version not in self._specs:
			frappe.db.after_rollback.add(self._specs.clear)
		return super().spec(version)

	@cached_property
	def hands(self) -> RedisHands:
		return RedisHands(
			get_redis_conn(),
			self.site,
			self._enqueue,
			self.pool,
			self.log,
			lambda job: f"{self.site}::{job}",
			self.node,
			self.healed,
		)

	@cached_property
	def _zone(self) -> ZoneInfo:
		rows = self.own.query(
			"SELECT value FROM tabSingles WHERE doctype = 'System Settings' AND field = 'time_zone'"
		)
		return ZoneInfo((rows and rows[0][0]) or NO_ZONE)

	def local(self, us: int) -> datetime:
		return (EPOCH + timedelta(microseconds=us)).astimezone(self._zone).replace(tzinfo=None)

	def classify(self, error: BaseException) -> ErrorKind:
		return errors.classify(error)

	def message(self, error: BaseException) -> str:
		return errors.message(error)

	def _broken_action(self, error: ActionError) -> None:
		"""One app's mistake must not stop the others' work; `dogan doctor` names it, too."""
		self._logger.error(str(error))

	def log(self, message: str) -> None:
		self._logger.info(message)

	def raise_alarm(self, db: Database, alarm: Alarm) -> None:
		notify(db, alarm, self._now())

	def look_around(self) -> None:
		if time.monotonic() > self._look_around_at:
			self._look_around_at = time.monotonic() + LOOK_AROUND_SECONDS
			self._beside_all(self._look_at_scheduler)

	def _look_at_scheduler(self, db: Database) -> None:
		since = scheduler.silent_since(db, frappe.get_site_config(*self._paths), self._now())
		if since:
			self.healed(
				Kind.SCHEDULER_SILENT,
				self.site,
				f"No scheduled job was begun since {since:%Y-%m-%d %H:%M}, though the scheduler is enabled.",
				"Nothing can be done from here; workflows' own schedules and the sweep go on.",
				Helped.NO,
				same_for=2 * LOOK_AROUND_SECONDS,
			)

	def _enqueue(self, pool: PoolSpec, job: str, node: str) -> None:
		"""Like frappe.enqueue, from any thread, and without RQ's own time limit: the drain keeps its slice."""
		method = "dogan_agents.host.frappe.drain_job"
		queue = node_queue(node) if node else pool.queue
		Queue(self._prefix + queue, connection=self.hands.redis).enqueue_call(
			execute_job,
			kwargs={
				"site": self.site,
				"user": "Administrator",
				"method": method,
				"event": None,
				"job_name": method,
				"is_async": True,
				"kwargs": {"pool": pool.name, "job": job},
			},
			timeout=-1,
			job_id=f"{self.site}::{job}",
			result_ttl=0,
			failure_ttl=FAILURE_TTL,
		)


class DrainHost(SiteHost):
	"""For a drain or a sweep: claims and leases on connections of their own, steps in the site's."""

	def __init__(self) -> None:
		super().__init__()
		self.work = DrainDatabase()
		self.cache = shared_cache()
		self._schema_until = 0.0

	@property
	def own(self) -> Database:
		return self.beside

	def spec(self, version: str) -> WorkflowSpec:
		return TableHost.spec(self, version)

	@contextmanager
	def group(self) -> Iterator[None]:
		self.work.begin()
		try:
			yield
			self.work.commit()
		except BaseException:
			self.work.rollback()
			_forget_step()
			raise
		self._forget_data()

	@contextmanager
	def step(self, context: Context, action: Action) -> Iterator[None]:
		"""As the step's user, with nothing left of another step, and nothing left of this one when it fails."""
		self._check_user(context.user)
		self._become(context.user)
		flags = dict(frappe.local.flags)
		if action.pure:
			yield
			return
		frappe.db.savepoint(SAVEPOINT)
		try:
			with taken_back_on_error():
				yield
		except BaseException as error:
			errors.explain(error)
			if self.classify(error) not in (ErrorKind.DEADLOCK, ErrorKind.CONNECTION, ErrorKind.TIMEOUT):
				frappe.db.rollback(save_point=SAVEPOINT)
			frappe.local.flags = frappe._dict(flags)
			_forget_step()
			raise
		frappe.local.flags = frappe._dict(flags)

	def call(self, action: Action, context: Context, data: BaseModel) -> Any:
		frappe.flags.dogan_step = context  # what it saves must not start its own workflow again
		try:
			return action.function(context, data)
		finally:
			frappe.flags.dogan_step = None

	def failed(self, run: str, step: str, user: str, kind: ErrorKind, message: str, ask: bool) -> None:
		"""With `ask`, a ToDo for the run's user, in this transaction: somebody has to act."""
		self.log(f"{run} {step}: {kind.value}: {message.splitlines()[0] if message else ''}")
		if ask:
			self._become("Administrator")
			frappe.db.savepoint("dogan_ask")
			try:
				self._ask(run, step, user, message)
			except frappe.ValidationError:
				frappe.db.rollback(save_point="dogan_ask")

	def _ask(self, run: str, step: str, user: str, message: str) -> None:
		description = _("Step {0} of the workflow run needs your help: {1}").format(
			step, message.splitlines()[0]
		)
		frappe.get_doc(
			doctype="ToDo",
			allocated_to=user,
			reference_type="Dogan Run",
			reference_name=run,
			description=frappe.utils.escape_html(description),
			priority="High",
		).insert(ignore_permissions=True)

	def _become(self, user: str) -> None:
		known = self._schema()
		frappe.set_user(user)
		frappe.local.lang = self._user(user)[1]
		self._forget_data(known)

	def _forget_data(self, known: dict[Any, Any] | None = None) -> None:
		"""All that was read is forgotten but what DocTypes look like: a document's step would unpickle them anew."""
		known = self._schema() if known is None else known
		_forget_step()
		frappe.local.cache = known

	def _schema(self) -> dict[Any, Any]:
		"""What this process knows of DocTypes and hooks; nothing every now and then, so that changes are noticed."""
		if time.monotonic() > self._schema_until:
			self._schema_until = time.monotonic() + KEEP_SECONDS
			return {}
		keys = (frappe.cache.make_key(name) for name in SCHEMA)
		return {key: frappe.local.cache[key] for key in keys if key in frappe.local.cache}

	def _check_user(self, user: str) -> None:
		if user != "Administrator" and not self._user(user)[0]:
			raise NotPermitted(f"The user {user} is disabled or gone; nothing is done in their name.")

	def _user(self, name: str) -> tuple[bool, str]:
		"""Whether a user may act, and their language. Read plainly: to a fresh process, loading the User document
		with all that it imports is a fifth of a second.
		"""
		return self._keep(("user", name), lambda: self._read_user(name))

	def _read_user(self, name: str) -> tuple[bool, str]:
		rows = self.own.query("SELECT enabled, language FROM tabUser WHERE name = %s", (name,))
		enabled, language = rows[0] if rows else (0, None)
		return bool(enabled), language or frappe.db.get_default("lang") or "en"


def _forget_step() -> None:
	"""What a step leaves in the process, and the next one must not see."""
	frappe.clear_messages()
	frappe.local.error_log = []
	frappe.local.debug_log = []
	frappe.db.value_cache = {}
	frappe.local.cache = {}
