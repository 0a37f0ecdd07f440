"""The engine on the lab host, as the tests use it."""

import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

from dogan_agents.engine import runs
from dogan_agents.engine.action import MARK, Action
from dogan_agents.engine.claim import Claim, Claimed, claim, release
from dogan_agents.engine.complete import Outcome, complete
from dogan_agents.engine.drain import DrainReport, drain
from dogan_agents.engine.lease import prepare
from dogan_agents.engine.sql import NOW, transaction
from dogan_agents.engine.states import TaskStatus
from dogan_agents.engine.sweep import SweepReport, sweep
from dogan_agents.host.lab import ACTIONS, LabHost, registry
from dogan_agents.lab.config import LabConfig
from dogan_agents.lab.workflows import define

USER = "ada@example.com"
POOLS = ("default", "mail")
MISCOUNTED = """
SELECT r.name, r.tasks_open, r.tasks_active,
	COALESCE(SUM(t.status NOT IN ('Completed', 'Failed', 'Skipped', 'Cancelled')), 0) AS open,
	COALESCE(SUM(t.status IN ('Ready', 'Running', 'Blocked')), 0) AS active
FROM `tabDogan Run` r LEFT JOIN `tabDogan Task` t ON t.run = r.name
GROUP BY r.name, r.tasks_open, r.tasks_active
HAVING r.tasks_open != open OR r.tasks_active != active
"""
MACHINE_COLUMNS = {
	"Ready": "ready_key > 0",
	"Running": "running_on IS NOT NULL",
	"Blocked": "blocked_on IS NOT NULL",
	"Waiting": "due > 0",
}


def step(name: str, *depends_on: str, action: str = "trivial", **fields: Any) -> dict[str, Any]:
	return {"step": name, "action": action, "depends_on": list(depends_on), **fields}


def until(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
	"""What the condition says once it is true."""
	deadline = time.monotonic() + timeout
	while not (found := condition()):
		assert time.monotonic() < deadline, "waited in vain"
		time.sleep(0.01)
	return found


class World:
	"""A lab with pools, where drains end as soon as there is nothing to do."""

	def __init__(self, config: LabConfig, actions: Mapping[str, Action] | None = None):
		self.config = config
		self.actions = dict(registry(ACTIONS) if actions is None else actions)
		self.host = self.another_host()
		self.db = self.host.own
		self.logged: list[str] = []
		self.claimed: dict[str, Claimed] = {}
		prepare(self.db)
		for pool in POOLS:
			self.db.execute(
				"INSERT INTO `tabDogan Pool` (name, pool_name, enabled, queue, time_slice, idle_seconds) "
				"VALUES (%s, %s, 1, %s, 60, 0)",
				(pool, pool, pool),
			)

	def another_host(self, node: str = "test") -> LabHost:
		host = LabHost(self.config, node, self.actions)
		host.log = host.hands.log = self._log  # type: ignore[method-assign]
		return host

	def _log(self, message: str) -> None:
		self.logged.append(message)

	def add_actions(self, *functions: Callable[..., Any]) -> None:
		for function in functions:
			found = getattr(function, MARK)
			self.actions[found.name] = found
		self.host.actions = self.actions

	def now(self) -> int:
		return int(self.db.query(f"SELECT {NOW}")[0][0])

	def define(self, *steps: dict[str, Any], workflow: str = "w", version: int = 1, **fields: Any) -> str:
		return define(self.host, self.db, {"workflow": workflow, "steps": list(steps), **fields}, version)

	def start(self, version: str, input: Any = None, **fields: Any) -> str:
		return self.start_many(version, [input], **fields)[0]

	def start_many(self, version: str, inputs: list[Any], **fields: Any) -> list[str]:
		requests = [runs.StartRequest(version, USER, input, **fields) for input in inputs]
		self.db.begin()
		started = runs.start_many(self.host, self.db, requests, self.now())
		self.db.commit()
		return [each.run for each in started]

	def run(self, *steps: dict[str, Any], input: Any = None, **fields: Any) -> str:
		"""Define a workflow, start it, and drain what can be done at once."""
		run = self.start(self.define(*steps, **fields), input)
		self.drain()
		return run

	def drain(self, pool: str = "default", host: LabHost | None = None) -> DrainReport:
		return drain(host or self.host, pool)

	def drain_in_threads(self, count: int, pool: str = "default") -> list[Thread]:
		threads = [
			Thread(target=self.drain, args=(pool, self.another_host(f"node-{n}"))) for n in range(count)
		]
		for thread in threads:
			thread.start()
		return threads

	def claim(self, count: int, worker: str = "somebody", pool: str = "default") -> Claim:
		"""What a worker of that name takes; it is registered, and lives for an hour."""
		self.db.execute(
			f"INSERT IGNORE INTO `tabDogan Worker` (name, status, node, pool, started_at, expires) "
			f"VALUES (%s, 'Idle', 'test', %s, NOW(6), {NOW} + 3600000000)",
			(worker, pool),
		)
		found = claim(self.host, pool, worker, count, self.now(), busy=False)
		self.claimed.update({task.name: task for task in found.tasks})
		return found

	def finish(self, run: str, name: str, status: str = "Completed") -> None:
		"""End a step that was claimed, as its worker would."""
		outcome = Outcome(self.claimed[f"{run}-{name}"], TaskStatus(status), error="by the test")
		with transaction(self.db):
			complete(self.host, self.db, [outcome], self.now())

	def release_all(self) -> None:
		release(self.host, list(self.claimed.values()))

	def sweep(self) -> SweepReport:
		return sweep(self.host, self.db)

	def sweep_and_drain(self) -> None:
		self.sweep()
		self.drain()

	def until(self, condition: Callable[[], Any], timeout: float = 30.0) -> Any:
		"""Sweep and drain until the condition is true."""

		def turn() -> Any:
			self.sweep_and_drain()
			return condition()

		return until(turn, timeout)

	def cancel(self, run: str, host: LabHost | None = None) -> None:
		db = (host or self.host).own
		db.begin()
		runs.cancel(host or self.host, db, run, self.now())
		db.commit()

	def retry(self, run: str) -> list[str]:
		self.db.begin()
		try:
			pools = runs.retry(self.host, self.db, run, self.now())
			self.db.commit()
		except BaseException:
			self.db.rollback()
			raise
		return pools

	def wait_for_age(self, seconds: int) -> None:
		"""Until the server is that old: connections from before a restart of it are left alone."""
		until(lambda: int(self.db.query("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1]) >= seconds)

	def value(self, sql: str, *params: Any) -> Any:
		return self.db.query(sql, params)[0][0]

	def of_run(self, run: str, *columns: str) -> Any:
		row = self.db.query(f"SELECT {', '.join(columns)} FROM `tabDogan Run` WHERE name = %s", (run,))[0]
		return row[0] if len(columns) == 1 else row

	def of_task(self, run: str, step: str, *columns: str) -> Any:
		row = self.db.query(
			f"SELECT {', '.join(columns)} FROM `tabDogan Task` WHERE run = %s AND step = %s", (run, step)
		)[0]
		return row[0] if len(columns) == 1 else row

	def status(self, run: str) -> str:
		return str(self.of_run(run, "status"))

	def steps(self, run: str) -> dict[str, str]:
		return dict(self.db.query("SELECT step, status FROM `tabDogan Task` WHERE run = %s", (run,)))

	def effects(self) -> dict[str, int]:
		"""How often each task left an effect."""
		return dict(self.db.query("SELECT task, COUNT(*) FROM lab_effect GROUP BY task"))

	def check(self) -> None:
		"""What must be true of the tables at any time between transactions."""
		assert self.db.query(MISCOUNTED) == ()
		for status, is_in_queue in MACHINE_COLUMNS.items():
			odd = f"SELECT name, status FROM `tabDogan Task` WHERE (status = '{status}') != ({is_in_queue})"
			assert self.db.query(odd) == ()
