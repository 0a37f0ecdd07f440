import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.host.cache import SiteCache
from dogan_agents.host.guard import ReadOnlyRecord
from dogan_agents.host.tables import DEFINITIONS


class DoganWorkflowVersion(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		definition: DF.JSON | None
		digest: DF.Data | None
		version: DF.Int
		workflow: DF.Link | None

	# end: auto-generated types
	def autoname(self):
		self.name = f"{self.workflow}-v{self.version}"

	def validate(self):
		self.refuse_change()

	def on_trash(self):
		self.refuse_while_runs_refer()
		SiteCache().forget(DEFINITIONS, self.name)

	def refuse_change(self):
		if not self.is_new():
			frappe.throw(
				_("Version {0} is frozen. Change the workflow: that makes the next version.").format(
					frappe.bold(self.name)
				),
				ReadOnlyRecord,
			)

	def refuse_while_runs_refer(self):
		run = frappe.db.get_value("Dogan Run", {"version": self.name}, order_by=None)
		if run:
			frappe.throw(
				_("Version {0} cannot be deleted: run {1} refers to it.").format(
					frappe.bold(self.name), frappe.bold(run)
				),
				frappe.LinkExistsError,
			)
