"""The engine on its lab host: private servers and nodes of two workers."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from rq import Worker

from benchmarks.program import Program, Settings, wait_until
from dogan_agents.engine import payload, runs
from dogan_agents.engine.clock import DatabaseClock
from dogan_agents.engine.sql import RUN, TASK, transaction
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.node import Node
from dogan_agents.lab.pools import define_pools
from dogan_agents.lab.schema import create_schema
from dogan_agents.lab.server import LabServers
from dogan_agents.lab.workflows import define

USER = "lab@lab.example"
POOL = "default"


class LabProgram(Program):
	"""Base of our programs on the lab host."""

	packages = ("PyMySQL", "redis", "rq", "pydantic")
	definition: dict[str, Any]

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		self.clock = DatabaseClock()
		self._stack = ExitStack()

	def start(self) -> None:
		lab = self._stack.enter_context(LabServers())
		with lab.config.connect() as connection:
			create_schema(connection)
		self.host = LabHost(lab.config, "benchmark")
		self.db = self.host.own
		define_pools(self.db)
		self.version = define(self.host, self.db, self.definition)
		names = [f"node-{number}" for number in range(1, self.settings.nodes + 1)]
		self.nodes = [
			self._stack.enter_context(Node(lab.config, name, self.settings.processes)) for name in names
		]
		wanted = self.settings.processes * self.settings.nodes
		wait_until(lambda: Worker.count(self.host.redis) == wanted, "the workers")

	def stop(self) -> None:
		self._stack.close()

	def submit(self, number: int) -> str:
		"""Start one run in a transaction of its own; its name."""
		return self.submit_many([number])[0]

	def submit_many(self, numbers: Sequence[int]) -> list[str]:
		"""Start runs in one transaction."""
		requests = [runs.StartRequest(self.version, USER, {"number": number}) for number in numbers]
		with transaction(self.db):
			started = runs.start_many(self.host, self.db, requests, self.clock.now(self.db))
		self.host.hands.wake(POOL)
		return [run.run for run in started]

	def completed(self) -> int:
		return int(self.db.query(f"SELECT COUNT(*) FROM {RUN} WHERE status = 'Completed'")[0][0])

	def outputs(self, names: Sequence[str], step: str) -> dict[str, Any]:
		"""What a step gave in each of these runs."""
		rows = self.db.query(
			f"SELECT run, output FROM {TASK} WHERE step = %s AND status = 'Completed'", (step,)
		)
		wanted = set(names)
		return {run: payload.loads(output) for run, output in rows if run in wanted}

	def set_pool(self, **values: int) -> None:
		changes = ", ".join(f"{column} = %s" for column in values)
		self.db.execute(f"UPDATE `tabDogan Pool` SET {changes} WHERE name = %s", (*values.values(), POOL))
