import json

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils.background_jobs import get_queues_timeout

from dogan_agents.host.guard import refuse_while_open

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

	def check_queue(self):
		known = get_queues_timeout()
		if self.queue not in known:
			frappe.throw(
				_(
					"{0}: this bench has no queue {1}. It has {2}. To add it, put this line into"
					" sites/common_site_config.json, let a worker serve it (bench worker --queue {1})"
					" and restart the bench:"
				).format(
					frappe.bold(_(self.meta.get_label("queue"))),
					frappe.bold(frappe.utils.escape_html(self.queue)),
					", ".join(known),
				)
				+ f"<pre>{frappe.utils.escape_html(self.config_line())}</pre>"
			)

	def check_time_slice(self):
		if not 1 <= self.time_slice <= LONGEST_SLICE:
			frappe.throw(
				_("{0} must be between 1 and {1}, not {2}.").format(
					frappe.bold(_(self.meta.get_label("time_slice"))), LONGEST_SLICE, self.time_slice
				)
			)

	def config_line(self) -> str:
		return '"workers": ' + json.dumps({self.queue: {"timeout": 1500}})
