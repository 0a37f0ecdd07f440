import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.cluster.pool import MOST_WORKERS

MAX_AGENTS = 10_000
MAX_ATTEMPTS = 100
MAX_TIMEOUT = 86_400
MAX_CACHE_TTL = 86_400


class DoganSettings(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		cache_ttl: DF.Int
		default_max_attempts: DF.Int
		default_timeout: DF.Int
		enabled: DF.Check
		max_agents: DF.Int
		workers_per_node_max: DF.Int
		workers_per_node_min: DF.Int

	# end: auto-generated types
	def validate(self):
		self.check_bounds("max_agents", 0, MAX_AGENTS)
		self.check_bounds("default_max_attempts", 1, MAX_ATTEMPTS)
		self.check_bounds("default_timeout", 1, MAX_TIMEOUT)
		self.check_workers()
		self.check_bounds("cache_ttl", 0, MAX_CACHE_TTL)

	def check_workers(self):
		self.check_bounds("workers_per_node_max", 1, MOST_WORKERS)
		self.check_bounds("workers_per_node_min", 0, self.workers_per_node_max)

	def check_bounds(self, fieldname: str, low: int, high: int):
		value = self.get(fieldname)
		if not low <= value <= high:
			frappe.throw(
				_("{0} must be between {1} and {2}, not {3}.").format(
					frappe.bold(_(self.meta.get_label(fieldname))), low, high, value
				)
			)
