import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.engine.action import registry
from dogan_agents.host.guard import refuse_while_open
from dogan_agents.host.identity import check_acting_user

BREAKER = ("breaker", "breaker_until", "breaker_memory")


class DoganAgent(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from dogan_agents.dogan_agents.doctype.dogan_agent_action.dogan_agent_action import DoganAgentAction

		actions: DF.Table[DoganAgentAction]
		agent_name: DF.Data
		breaker: DF.Literal["Closed", "Open", "Half Open"]
		breaker_memory: DF.SmallText | None
		breaker_until: DF.Datetime | None
		description: DF.SmallText | None
		enabled: DF.Check
		max_concurrent: DF.Int
		pool: DF.Link | None
		rate_limit: DF.Int
		rate_period: DF.Literal["Second", "Minute", "Hour", "Day"]
		user: DF.Link | None

	# end: auto-generated types
	def validate(self):
		self.keep_the_breaker()
		check_acting_user(self, "user")
		self.check_pool()
		self.check_actions()

	def on_update(self):
		self.move_to_pool()

	def on_trash(self):
		refuse_while_open("agent", self)

	def keep_the_breaker(self):
		"""Saving writes every column; the row is locked until then, so that nothing the engine wrote is undone."""
		written = not self.is_new() and frappe.db.get_value(
			self.doctype, self.name, BREAKER, as_dict=True, for_update=True
		)
		self.update(written or {"breaker": "Closed", "breaker_until": None, "breaker_memory": None})

	def check_pool(self):
		if self.pool and not frappe.db.get_value("Dogan Pool", self.pool, "enabled"):
			frappe.throw(
				_("{0}: the pool {1} is disabled.").format(
					frappe.bold(_(self.meta.get_label("pool"))), self.pool
				)
			)

	def check_actions(self):
		known = registry(frappe.get_hooks("dogan_actions"))
		seen = set()
		for row in self.actions:
			if row.action not in known:
				self.refuse_action(row, _("there is no action {0}").format(row.action))
			if row.action in seen:
				self.refuse_action(row, _("{0} is listed twice").format(row.action))
			seen.add(row.action)

	def refuse_action(self, row: Document, reason: str):
		label = frappe.bold(_(self.meta.get_label("actions")))
		frappe.throw(_("{0}, row {1}: {2}").format(label, row.idx, frappe.utils.escape_html(reason)))

	def move_to_pool(self):
		"""New runs of the workflows that use this agent go to its new pool."""
		if self.has_value_changed("pool") and not self.flags.in_insert:
			for workflow in self.get_workflows():
				frappe.get_doc("Dogan Workflow", workflow).freeze_version()

	def get_workflows(self) -> set[str]:
		own = frappe.get_all("Dogan Workflow", {"agent": self.name}, pluck="name", order_by="name")
		by_step = frappe.get_all(
			"Dogan Workflow Step",
			{"agent": self.name, "parenttype": "Dogan Workflow"},
			pluck="parent",
			order_by="parent",
		)
		return {*own, *by_step}
