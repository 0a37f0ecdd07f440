"""`bench --site SITE dogan node`: keeps this machine's workers, says how it is, and takes its turn at the sweep."""

import os
import re
from collections.abc import Sequence

import frappe
from frappe.utils.background_jobs import generate_qname

from dogan_agents import __version__
from dogan_agents.cluster.pool import MOST_WORKERS
from dogan_agents.cluster.registration import Given, NodeRow
from dogan_agents.cluster.steward import Steward
from dogan_agents.cluster.supervisor import Supervisor
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.place import parse_labels
from dogan_agents.host.frappe import maintenance
from dogan_agents.host.hands import node_queue
from dogan_agents.host.node import VARIABLE
from dogan_agents.host.preload import frappe as preloaded
from dogan_agents.host.queues import waiting_jobs
from dogan_agents.host.site import DrainHost
from dogan_agents.host.worker import run_worker

__all__ = ["preloaded"]
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


class SiteSupervisor(Supervisor):
	def __init__(self, site: str, node: str, given: Given, grace: float, quiet: bool):
		super().__init__(self._work, self._attend, grace=grace)
		self.site, self.node, self.given, self.quiet = site, node, given, quiet

	def _work(self, queues: Sequence[str]) -> None:
		name = f"{self.node}-{os.getpid()}-{new_id()[-6:]}"
		run_worker([node_queue(self.node), *queues], name, quiet=self.quiet)

	def _attend(self, pipe: int) -> None:
		frappe.init(site=self.site)
		frappe.connect()
		host = DrainHost()
		redis = host.hands.redis  # read from the configuration here: threads do not see it
		host.work.reset()  # all is done on connections of the threads' own

		def jobs(queues: Sequence[str]) -> int:
			return waiting_jobs(redis, map(generate_qname, (node_queue(self.node), *queues)))

		in_maintenance = maintenance()
		row = NodeRow(self.node, host.local, __version__, self.given)
		Steward(host, row, jobs, lambda: not in_maintenance()).run(pipe)


def run_node(site: str, name: str, given: Given, grace: float, quiet: bool) -> None:
	"""Be the node process until SIGTERM."""
	os.environ[VARIABLE] = name
	SiteSupervisor(site, name, given, grace, quiet).run()


def check(name: str, given: Given) -> None:
	"""ValueError says what is wrong with the command line."""
	if not NAME.fullmatch(name):
		raise ValueError(f"no name of a node: {name!r}; letters, digits, dots, dashes, at most 60")
	if given.labels and parse_labels(given.labels) is None:
		raise ValueError(f"no labels: {given.labels!r}; write region=eu,gpu=1")
	for number in (given.least, given.most):
		if number is not None and not 0 <= number <= MOST_WORKERS:
			raise ValueError(f"{number} workers: 0 to {MOST_WORKERS} may be had")
	if given.most and (given.least or 0) > given.most:
		raise ValueError(f"at least {given.least} workers, but at most {given.most}")
