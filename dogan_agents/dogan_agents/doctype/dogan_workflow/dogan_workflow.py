import frappe
from frappe import _
from frappe.model.document import Document

from dogan_agents.dogan_agents.doctype.dogan_workflow import checks, definition
from dogan_agents.dogan_agents.doctype.dogan_workflow.refusal import refuse
from dogan_agents.engine.action import registry
from dogan_agents.engine.errors import SpecError
from dogan_agents.engine.spec import parse_definition
from dogan_agents.host.cache import SiteCache
from dogan_agents.host.identity import check_acting_user
from dogan_agents.host.retention import count_open_runs, delete_runs
from dogan_agents.host.tables import DEFINITIONS

BATCH = 1000


class DoganWorkflow(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from dogan_agents.dogan_agents.doctype.dogan_workflow_step.dogan_workflow_step import (
			DoganWorkflowStep,
		)
		from dogan_agents.dogan_agents.doctype.dogan_workflow_trigger.dogan_workflow_trigger import (
			DoganWorkflowTrigger,
		)

		agent: DF.Link | None
		current_version: DF.Link | None
		description: DF.SmallText | None
		enabled: DF.Check
		fairness_key: DF.Data | None
		max_concurrent: DF.Int
		placement: DF.Literal["", "Round Robin", "Least Loaded", "Weighted", "Node", "Label", "Affinity"]
		placement_required: DF.Check
		placement_value: DF.Data | None
		pool: DF.Link | None
		priority: DF.Int
		run_as: DF.Link | None
		steps: DF.Table[DoganWorkflowStep]
		triggers: DF.Table[DoganWorkflowTrigger]
		weight: DF.Float
		workflow_name: DF.Data

	# end: auto-generated types
	def validate(self):
		check_acting_user(self, "run_as")
		self.check_definition()

	def on_update(self):
		self.freeze_version()

	def on_trash(self):
		self.refuse_while_runs_are_open()
		self.delete_history()

	def check_definition(self):
		try:
			built = self.build_definition()
			parse_definition(built, self.registered_actions)
			checks.check_agents(built)
			checks.check_pools(built)
			for row in self.triggers:
				checks.check_trigger(row)
		except SpecError as error:
			refuse(self, error)

	def build_definition(self) -> dict:
		"""The definition of the workflow as it stands, valid or not."""
		return definition.build(self, self.registered_actions)

	@property
	def registered_actions(self) -> dict:
		return registry(frappe.get_hooks("dogan_actions"))

	def freeze_version(self):
		"""Make the next version the current one, unless the definition is what it was."""
		built = self.build_definition()
		digest = definition.digest(built)
		if digest != self.get_current_digest():
			version = frappe.get_doc(
				doctype="Dogan Workflow Version",
				workflow=self.name,
				version=self.get_last_version() + 1,
				definition=definition.canonical(built),
				digest=digest,
			).insert(ignore_permissions=True)
			self.db_set("current_version", version.name, update_modified=False)

	def get_current_digest(self) -> str | None:
		return self.current_version and frappe.db.get_value(
			"Dogan Workflow Version", self.current_version, "digest"
		)

	def get_last_version(self) -> int:
		last = frappe.get_all(
			"Dogan Workflow Version",
			{"workflow": self.name},
			pluck="version",
			order_by="version desc",
			limit=1,
		)
		return last[0] if last else 0

	def refuse_while_runs_are_open(self):
		if count := count_open_runs(self.name):
			frappe.throw(
				_("Workflow {0} has {1} runs that have not ended. Cancel them or let them end first.").format(
					frappe.bold(self.name), count
				),
				frappe.LinkExistsError,
			)

	def delete_history(self):
		while names := frappe.get_all(
			"Dogan Run", {"workflow": self.name}, pluck="name", order_by="creation asc", limit=BATCH
		):
			delete_runs(names)
		frappe.db.delete("Dogan State", {"scope_type": "Workflow", "scope": self.name})
		frappe.db.delete("Dogan Workflow Version", {"workflow": self.name})
		SiteCache().clear(DEFINITIONS)
