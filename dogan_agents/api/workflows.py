"""What the desk asks about workflows."""

from typing import Any

import frappe
from frappe import _

from dogan_agents.api import progress
from dogan_agents.api.access import require_read
from dogan_agents.host.frappe import site_host


@frappe.whitelist()
def actions() -> list[dict[str, Any]]:
	"""The registered actions by title, each with what it does and the JSON schema of its input and output."""
	frappe.has_permission("Dogan Workflow", "read", throw=True)
	found = [
		{
			"name": action.name,
			"title": action.title,
			"description": action.description,
			"external": action.external,
			"input": action.input_model.model_json_schema(),
			"output": action.output_model.model_json_schema() if action.output_model else None,
		}
		for action in site_host().actions.values()
	]
	return sorted(found, key=lambda action: str(action["title"]))


@frappe.whitelist()
def graph(workflow: str | None = None, run: str | None = None) -> dict[str, Any]:
	"""The steps of a workflow's current version, or those of a run with their states: nodes and edges."""
	if run:
		require_read("Dogan Run", run)
		return progress.drawing(run)
	if not workflow:
		frappe.throw(_("Name a workflow or a run."))
	require_read("Dogan Workflow", workflow)
	version = frappe.db.get_value("Dogan Workflow", workflow, "current_version")
	return {
		"workflow": workflow,
		"version": version,
		**progress.nodes_and_edges(site_host().spec(version)),
	}
