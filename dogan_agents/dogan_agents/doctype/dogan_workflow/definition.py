"""From the rows of a workflow's form to the definition that the engine reads."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import frappe

from dogan_agents.engine.action import Action
from dogan_agents.engine.errors import SpecError

if TYPE_CHECKING:
	from dogan_agents.dogan_agents.doctype.dogan_workflow.dogan_workflow import DoganWorkflow
	from dogan_agents.dogan_agents.doctype.dogan_workflow_step.dogan_workflow_step import DoganWorkflowStep

SEPARATOR = re.compile(r"[,\n]")


def build(workflow: "DoganWorkflow", actions: Mapping[str, Action]) -> dict[str, Any]:
	"""The definition of the workflow as it stands on the form."""
	return {
		"workflow": workflow.workflow_name,
		"agent": workflow.agent or None,
		"run_as": workflow.run_as or None,
		"pool": workflow.pool or "default",
		"priority": workflow.priority,
		"weight": workflow.weight,
		"fairness_key": (workflow.fairness_key or "").strip(),
		"max_concurrent": workflow.max_concurrent or 0,
		**_placement(workflow),
		"steps": [_step(row, workflow.agent, actions) for row in workflow.steps],
	}


def canonical(definition: Mapping[str, Any]) -> str:
	"""The one JSON text of a definition."""
	return json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(definition: Mapping[str, Any]) -> str:
	return hashlib.sha256(canonical(definition).encode()).hexdigest()


def parse_object(text: str | None, **place: str) -> dict[str, Any]:
	"""The JSON object in a Code field; SpecError at `place` when it is something else."""
	if not (text or "").strip():
		return {}
	try:
		value = json.loads(text)
	except ValueError as error:
		raise SpecError(f"not valid JSON: {error}", **place) from error
	if not isinstance(value, dict):
		raise SpecError('not a JSON object: write {"name": value, …}', **place)
	return value


def _step(row: "DoganWorkflowStep", agent: str | None, actions: Mapping[str, Action]) -> dict[str, Any]:
	action = actions.get(row.action)
	return {
		"step": row.step or "",
		"action": row.action or "",
		"agent": row.agent or None,
		"pool": row.pool or _pool_of_agent(row.agent or agent),
		"depends_on": [name.strip() for name in SEPARATOR.split(row.depends_on or "") if name.strip()],
		"condition": (row.condition or "").strip(),
		"input": parse_object(row.input, step=row.step or f"#{row.idx}", field="input"),
		"on_failure": row.on_failure or "Fail",
		"timeout": row.timeout or 0,
		"max_attempts": row.max_attempts or 0,
		"retry_delay": row.retry_delay or 0,
		"concurrency_key": (row.concurrency_key or "").strip(),
		"concurrency_limit": row.concurrency_limit or 0,
		"external": bool(action and action.external),
		**_placement(row),
	}


def _placement(row: "DoganWorkflow | DoganWorkflowStep") -> dict[str, Any]:
	"""Left out when there is none, so that a definition of before is still the same."""
	if not row.placement:
		return {}
	return {
		"placement": row.placement,
		"placement_value": (row.placement_value or "").strip(),
		"placement_required": bool(row.placement_required),
	}


def _pool_of_agent(agent: str | None) -> str | None:
	return (agent and frappe.db.get_value("Dogan Agent", agent, "pool")) or None
