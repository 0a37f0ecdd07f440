import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils.background_jobs import get_queues_timeout

from dogan_agents.host.guard import refuse_while_open
from dogan_agents.host.worker import QUEUE, config_line

LONGEST_SLICE = 3600  # seconds


class DoganPool(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		description: DF.SmallText | None
		enabled: DF.Check
		idle_seconds: DF.Int
		max_workers: DF.Int
		pool_name: DF.Data
		queue: DF.Data
		time_slice: DF.Int

	# end: auto-generated types
	def validate(self):
		self.check_queue()
		self.check_time_slice()

	def on_trash(self):
		refuse_while_open("pool", self)

	def onload(self):
		self.set_onload("plain_worker", self.plain_worker())

	def check_queue(self):
		self.queue = self.queue.strip()
		if not QUEUE.fullmatch(self.queue):
			frappe.throw(
				_("{0} must be letters, digits, dots, dashes and underscores, not {1}.").format(
					frappe.bold(_(self.meta.get_label("queue"))),
					frappe.bold(frappe.utils.escape_html(self.queue)),
				)
			)
		if self.has_value_changed("queue") and (told := self.plain_worker()):
			frappe.msgprint(told, title=_("A New Queue"), indicator="blue")

	def check_time_slice(self):
		if not 1 <= self.time_slice <= LONGEST_SLICE:
			frappe.throw(
				_("{0} must be between 1 and {1}, not {2}.").format(
					frappe.bold(_(self.meta.get_label("time_slice"))), LONGEST_SLICE, self.time_slice
				)
			)

	def plain_worker(self) -> str:
		"""What a plain `bench worker` needs before it serves the queue; empty when it does."""
		if self.queue in get_queues_timeout():
			return ""
		return _(
			"Nodes ({0}) and {1} serve the queue {2} at once. A plain {3} needs this line under {4} in {5} first,"
			" and the bench a restart: {6}"
		).format(
			"<code>bench dogan node</code>",
			f"<code>bench dogan worker --queues {self.queue}</code>",
			frappe.bold(self.queue),
			"<code>bench worker</code>",
			"<code>workers</code>",
			"<code>sites/common_site_config.json</code>",
			f"<pre>{frappe.utils.escape_html(config_line(self.queue))}</pre>",
		)
