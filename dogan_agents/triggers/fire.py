"""Starting the run that a trigger asks for, in the transaction of what caused it."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document

from dogan_agents.engine import template
from dogan_agents.engine.errors import NotPermitted
from dogan_agents.host.frappe import start_run
from dogan_agents.host.identity import FORBIDDEN
from dogan_agents.triggers.lookup import Trigger

SAVEPOINT = "dogan_trigger"


def fire(
	trigger: Trigger, doc: Document, data: Mapping[str, Any], /, *, users: tuple[str, ...], **run: Any
) -> None:
	"""Start a run unless the condition says no. What goes wrong is logged, and nothing else: the mail or the
	document that caused it must not suffer. Only a deadlock is raised, for it has voided the whole transaction.
	"""
	frappe.db.savepoint(SAVEPOINT)
	try:
		_fire(trigger, doc, data, users, run)
	except frappe.QueryDeadlockError:
		raise
	except Exception as error:
		frappe.db.rollback(save_point=SAVEPOINT)
		_log(trigger, error, run)
	else:
		frappe.db.release_savepoint(SAVEPOINT)


def _fire(
	trigger: Trigger, doc: Document, data: Mapping[str, Any], users: tuple[str, ...], run: Mapping[str, Any]
) -> None:
	scope = {"doc": dict(doc.as_dict())}
	if trigger.condition.strip() and not template.evaluate(trigger.condition, scope):
		return
	start_run(
		trigger.workflow,
		{**data, **template.render(trigger.input, scope)},
		user=acting_user(trigger, users),
		**run,
	)


def acting_user(trigger: Trigger, users: tuple[str, ...]) -> str:
	"""In whose name the run works: the workflow's own user, else the first of `users` that may lend a name."""
	for user in (trigger.run_as, *users):
		if user and user not in FORBIDDEN:
			return user
	raise NotPermitted(
		f"The workflow {trigger.workflow} has nobody to run as: Administrator and Guest lend no name. "
		"Choose a user in its field Runs as User, or in that of its agent."
	)


def _log(trigger: Trigger, error: Exception, run: Mapping[str, Any]) -> None:
	frappe.log_error(
		title=f"Trigger of workflow {trigger.workflow}"[:140],
		message=f"{error}\n\n{frappe.get_traceback()}",
		reference_doctype=run.get("reference_doctype"),
		reference_name=run.get("reference_name"),
	)
