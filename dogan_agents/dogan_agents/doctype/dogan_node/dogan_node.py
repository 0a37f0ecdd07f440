import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.cluster.pool import MOST_WORKERS
from dogan_agents.engine.place import parse_labels
from dogan_agents.host.guard import refuse_by_hand

MACHINE = (
	"status", "cordoned", "draining", "expires", "incarnation", "last_seen", "started_at", "version", "address",
	"workers", "busy", "cpu", "memory", "disk", "load", "disk_read", "disk_write", "net_in", "net_out",
)  # fmt: skip
"""What the node process writes, by SQL, while somebody has the form open."""


class DoganNode(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		address: DF.Data | None
		busy: DF.Int
		cordoned: DF.Check
		cost_per_hour: DF.Currency
		cpu: DF.Percent
		disk: DF.Percent
		disk_read: DF.Float
		disk_write: DF.Float
		draining: DF.Check
		expires: DF.Int
		incarnation: DF.Data | None
		labels: DF.SmallText | None
		last_seen: DF.Datetime | None
		load: DF.Float
		memory: DF.Percent
		net_in: DF.Float
		net_out: DF.Float
		node_name: DF.Data
		pools: DF.SmallText | None
		started_at: DF.Datetime | None
		status: DF.Literal["Healthy", "Late", "Dead", "Draining", "Cordoned", "Stopped"]
		version: DF.Data | None
		weight: DF.Float
		workers: DF.Int
		workers_max: DF.Int
		workers_min: DF.Int

	# end: auto-generated types
	def before_insert(self):
		refuse_by_hand(self)

	def validate(self):
		self.keep_what_the_machine_wrote()
		self.check_labels()
		self.check_pools()
		self.check_workers()

	def on_trash(self):
		refuse_by_hand(self)

	def keep_what_the_machine_wrote(self):
		"""Saving writes every column; the row is locked until then, so that no heartbeat is undone."""
		if not self.is_new():
			written = frappe.db.get_value(self.doctype, self.name, MACHINE, as_dict=True, for_update=True)
			self.update(written)

	def check_labels(self):
		if parse_labels(self.labels or "") is None:
			frappe.throw(
				_("{0}: write one a line, as in {1}.").format(
					frappe.bold(_(self.meta.get_label("labels"))), "<code>region=eu</code>"
				)
			)

	def check_pools(self):
		names = [name.strip() for name in (self.pools or "").splitlines() if name.strip()]
		for name in names:
			if not frappe.db.exists("Dogan Pool", name):
				frappe.throw(
					_("{0}: there is no pool {1}.").format(
						frappe.bold(_(self.meta.get_label("pools"))),
						frappe.bold(frappe.utils.escape_html(name)),
					)
				)
		self.pools = "\n".join(names)

	def check_workers(self):
		for fieldname in ("workers_min", "workers_max"):
			if not 0 <= self.get(fieldname) <= MOST_WORKERS:
				frappe.throw(
					_("{0} must be between {1} and {2}, not {3}.").format(
						frappe.bold(_(self.meta.get_label(fieldname))), 0, MOST_WORKERS, self.get(fieldname)
					)
				)
		if self.workers_max and self.workers_min > self.workers_max:
			frappe.throw(
				_("{0} cannot be more than {1}.").format(
					frappe.bold(_(self.meta.get_label("workers_min"))),
					frappe.bold(_(self.meta.get_label("workers_max"))),
				)
			)
