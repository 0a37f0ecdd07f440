"""What only the site can check of a workflow. Each check raises SpecError at the first fault."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import frappe

from dogan_agents.dogan_agents.doctype.dogan_workflow.definition import parse_object
from dogan_agents.dogan_agents.doctype.dogan_workflow.refusal import TriggerError
from dogan_agents.engine.cron import check_cron
from dogan_agents.engine.errors import SpecError, TemplateError
from dogan_agents.engine.template import check_expression, check_template

if TYPE_CHECKING:
	from dogan_agents.dogan_agents.doctype.dogan_workflow_trigger.dogan_workflow_trigger import (
		DoganWorkflowTrigger,
	)

SCHEDULE_NAMES = frozenset({"now", "workflow"})  # what a schedule's input may look at
DOCUMENT_NAMES = frozenset({"doc"})  # what a trigger's condition and input may look at


def check_agents(definition: Mapping[str, Any]) -> None:
	"""Agents may perform what their steps ask of them."""
	for step, agent in _with_default(definition, "agent"):
		allowed = frappe.get_all(
			"Dogan Agent Action",
			{"parent": agent, "parenttype": "Dogan Agent"},
			pluck="action",
			order_by="idx",
		)
		if step and allowed and step["action"] not in allowed:
			raise SpecError(
				f"agent {agent} may not perform {step['action']} (it may: {', '.join(allowed)})",
				step=step["step"],
				field="action",
			)


def check_pools(definition: Mapping[str, Any]) -> None:
	"""Pools exist and are enabled."""
	for step, pool in _with_default(definition, "pool"):
		enabled = frappe.db.get_value("Dogan Pool", pool, "enabled")
		if not enabled:
			reason = f"there is no pool {pool}" if enabled is None else f"the pool {pool} is disabled"
			raise SpecError(reason, step=step.get("step", ""), field="pool")


def check_trigger(row: "DoganWorkflowTrigger") -> None:
	"""A trigger says all it needs, in terms that can be read."""
	try:
		_check_complete(row)
		_check_texts(row)
	except SpecError as error:
		raise TriggerError(error.reason, row=row.idx, field=error.field) from error


def _with_default(definition: Mapping[str, Any], field: str) -> Iterator[tuple[Mapping[str, Any], str]]:
	"""The workflow's own value (with an empty step), then each step's, or the workflow's where it has none."""
	if definition[field]:
		yield {}, definition[field]
	for step in definition["steps"]:
		if value := step[field] or definition[field]:
			yield step, value


def _check_complete(row: "DoganWorkflowTrigger") -> None:
	if row.trigger_type == "Document Event":
		for field in ("document_type", "document_event"):
			if not row.get(field):
				raise SpecError("a document event needs it", field=field)
	if row.trigger_type == "Schedule":
		if not (row.cron or "").strip():
			raise SpecError("a schedule needs it", field="cron")
		check_cron(row.cron)


def _check_texts(row: "DoganWorkflowTrigger") -> None:
	names = SCHEDULE_NAMES if row.trigger_type == "Schedule" else DOCUMENT_NAMES
	data = parse_object(row.input, field="input")
	try:
		field = "input"
		check_template(data, names)
		field = "condition"
		if (row.condition or "").strip():
			if row.trigger_type == "Schedule":
				raise SpecError("a schedule has no condition; give the first step one", field="condition")
			check_expression(row.condition, names)
	except TemplateError as error:
		raise SpecError(str(error), field=field) from error
