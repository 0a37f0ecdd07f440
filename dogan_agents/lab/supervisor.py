"""What runs in a node of the lab: the same as on a site, with RQ's workers by themselves."""

import os
from collections.abc import Sequence

from redis import Redis
from rq import Queue, Worker

from dogan_agents import __version__
from dogan_agents.cluster.pool import Policy
from dogan_agents.cluster.registration import Given, NodeRow
from dogan_agents.cluster.steward import Steward
from dogan_agents.cluster.supervisor import Supervisor
from dogan_agents.engine.action import registry
from dogan_agents.engine.ids import new_id
from dogan_agents.host.hands import node_queue
from dogan_agents.host.lab import ACTIONS, LabHost
from dogan_agents.host.queues import waiting_jobs
from dogan_agents.lab.config import LabConfig


class LabSupervisor(Supervisor):
	def __init__(self, config: LabConfig, node: str, given: Given, cool_down: float, grace: float):
		super().__init__(self._work, self._attend, Policy(cool_down=cool_down), grace)
		self.config, self.node, self.given = config, node, given

	def run(self) -> None:
		registry(ACTIONS)
		super().run()

	def _work(self, queues: Sequence[str]) -> None:
		redis = Redis.from_url(self.config.redis_url)
		served = [Queue(name, connection=redis) for name in (node_queue(self.node), *queues)]
		name = f"{self.node}-{os.getpid()}-{new_id()[-6:]}"
		Worker(served, connection=redis, name=name, log_job_description=False).work(logging_level="WARNING")

	def _attend(self, pipe: int) -> None:
		host = LabHost(self.config, self.node)

		def jobs(queues: Sequence[str]) -> int:
			return waiting_jobs(host.redis, [node_queue(self.node), *queues])

		Steward(host, NodeRow(self.node, host.local, __version__, self.given), jobs).run(pipe)
