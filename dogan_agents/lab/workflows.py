"""Putting a workflow's definition into the lab's tables."""

from typing import Any

from dogan_agents.engine import payload
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.spec import WorkflowSpec, parse_definition

DIAMOND: dict[str, Any] = {
	"workflow": "diamond",
	"steps": [
		{"step": "a", "action": "trivial"},
		{"step": "b", "action": "trivial", "depends_on": ["a"]},
		{"step": "c", "action": "trivial", "depends_on": ["a"]},
		{"step": "d", "action": "trivial", "depends_on": ["b", "c"]},
	],
}


def define(host: Host, db: Database, definition: dict[str, Any], version: int = 1) -> str:
	"""Check and freeze a definition, as saving a Dogan Workflow does on a site; the name of the version."""
	spec = parse_definition(_with_external(host, definition), host.actions)
	name = f"{spec.workflow}-v{version}"
	_write_workflow(db, spec, name)
	db.execute(
		"INSERT INTO `tabDogan Workflow Version` (name, creation, modified, owner, workflow, version, definition) "
		"VALUES (%s, NOW(6), NOW(6), 'lab', %s, %s, %s)",
		(name, spec.workflow, version, payload.dumps(spec, "The definition")),
	)
	return name


def _with_external(host: Host, definition: dict[str, Any]) -> dict[str, Any]:
	steps = [
		{**step, "external": step["action"] in host.actions and host.actions[step["action"]].external}
		for step in definition["steps"]
	]
	return {**definition, "steps": steps}


def _write_workflow(db: Database, spec: WorkflowSpec, version: str) -> None:
	db.execute(
		"INSERT INTO `tabDogan Workflow` (name, creation, modified, owner, modified_by, workflow_name, enabled, "
		"pool, priority, max_concurrent, current_version) "
		"VALUES (%s, NOW(6), NOW(6), 'lab', 'lab', %s, 1, %s, %s, %s, %s) "
		"ON DUPLICATE KEY UPDATE current_version = VALUES(current_version), max_concurrent = VALUES(max_concurrent)",
		(spec.workflow, spec.workflow, spec.pool, spec.priority, spec.max_concurrent, version),
	)
