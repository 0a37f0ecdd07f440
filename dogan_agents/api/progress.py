"""What is told about a run and its steps."""

from typing import Any

import frappe
from frappe.utils import time_diff_in_seconds

from dogan_agents.engine import payload
from dogan_agents.engine.spec import WorkflowSpec
from dogan_agents.host.frappe import site_host

RUN_FIELDS = (
	"name", "workflow", "version", "status", "user", "trigger", "reference_doctype", "reference_name",
	"idempotency_key", "priority", "started_at", "ended_at", "tasks_total", "tasks_open", "error",
)  # fmt: skip
TASK_FIELDS = (
	"name", "step", "item", "status", "action", "agent", "pool", "node", "worker", "attempt", "ready_at",
	"started_at", "ended_at", "duration", "error", "error_kind",
)  # fmt: skip


def progress(run: str) -> dict[str, Any]:
	"""A run with its output and its tasks, in the order of the workflow's steps."""
	found = _run(run, "output")
	found["output"] = payload.loads(found["output"])
	found["tasks"] = _tasks(run, site_host().spec(found["version"]))
	return found


def drawing(run: str) -> dict[str, Any]:
	"""A run as the graph of its version's steps, each with the state of its task."""
	found = _run(run)
	spec = site_host().spec(found["version"])
	tasks = {task["step"]: task for task in _tasks(run, spec)}
	return {**found, **nodes_and_edges(spec, tasks)}


def nodes_and_edges(spec: WorkflowSpec, tasks: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
	actions = site_host().actions
	nodes = [
		{
			"name": None,
			"status": None,
			"action": step.action,
			"agent": spec.agent_of(step.step),
			"pool": spec.pool_of(step.step),
			**(tasks or {}).get(step.step, {}),
			"step": step.step,
			"title": actions[step.action].title if step.action in actions else step.action,
			"condition": step.condition,
			"on_failure": step.on_failure,
		}
		for step in spec.steps
	]
	edges = [[before, step.step] for step in spec.steps for before in step.depends_on]
	return {"nodes": nodes, "edges": edges}


def _run(run: str, *more: str) -> dict[str, Any]:
	found = frappe.db.get_value("Dogan Run", run, [*RUN_FIELDS, *more], as_dict=True)
	return {"run": run, **found}


def _tasks(run: str, spec: WorkflowSpec) -> list[dict[str, Any]]:
	order = {step.step: index for index, step in enumerate(spec.steps)}
	tasks = frappe.get_all("Dogan Task", {"run": run}, TASK_FIELDS, order_by="creation, name")
	for task in tasks:
		task["task"] = task["name"]
		task["waited"] = _seconds(task["ready_at"], task["started_at"])
	return sorted(tasks, key=lambda task: (order.get(task["step"], len(order)), task["item"]))


def _seconds(begin: Any, end: Any) -> float | None:
	return max(0.0, time_diff_in_seconds(end, begin)) if begin and end else None
