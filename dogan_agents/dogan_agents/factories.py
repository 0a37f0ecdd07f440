"""What the DocTypes' tests are made of."""

from collections.abc import Mapping
from typing import Any

import frappe
from frappe.model.document import Document
from frappe.tests.utils import FrappeTestCase, patch_hooks
from pydantic import BaseModel, ConfigDict

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.ids import new_id


class NoteInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	text: str
	times: int = 1


@action(title="Note")
def note(context: Context, input: NoteInput) -> None:
	"""Does nothing with a text."""


@action(title="Shout", external=True)
def shout(context: Context, input: NoteInput) -> None:
	"""Does nothing, loudly."""


class DoganTestCase(FrappeTestCase):
	"""Knows the actions `note` and `shout`, and starts every test as Administrator."""

	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		actions = patch_hooks({"dogan_actions": [f"{__name__}.note", f"{__name__}.shout"]})
		actions.__enter__()
		cls.addClassCleanup(actions.__exit__, None, None, None)

	def setUp(self) -> None:
		frappe.set_user("Administrator")
		self.addCleanup(frappe.set_user, "Administrator")


def make_step(step: str = "first", **fields: Any) -> dict[str, Any]:
	return {"step": step, "action": "note", "input": '{"text": "hello"}', **fields}


def make_workflow(*steps: Mapping[str, Any], **fields: Any) -> Document:
	"""A saved workflow of these steps, or of one."""
	return build_workflow(*steps, **fields).insert()


def build_workflow(*steps: Mapping[str, Any], **fields: Any) -> Document:
	return frappe.get_doc(
		{
			"doctype": "Dogan Workflow",
			"workflow_name": f"Workflow {frappe.generate_hash(length=8)}",
			"steps": list(steps) or [make_step()],
			**fields,
		}
	)


def make_agent(**fields: Any) -> Document:
	return build_agent(**fields).insert()


def build_agent(*, actions: tuple[str, ...] = (), **fields: Any) -> Document:
	return frappe.get_doc(
		{
			"doctype": "Dogan Agent",
			"agent_name": f"Agent {frappe.generate_hash(length=8)}",
			"actions": [{"action": name} for name in actions],
			**fields,
		}
	)


def build_pool(**fields: Any) -> Document:
	return frappe.get_doc(
		{"doctype": "Dogan Pool", "pool_name": f"pool-{frappe.generate_hash(length=8)}", **fields}
	)


def make_run(workflow: Document, **fields: Any) -> Document:
	"""The row of a run, as the engine would have written it."""
	run = frappe.get_doc(
		{"doctype": "Dogan Run", "workflow": workflow.name, "version": workflow.current_version, **fields}
	)
	run.flags.by_engine = True
	return run.insert()


def make_task(run: Document, step: str = "first", **fields: Any) -> Document:
	task = frappe.get_doc(
		{"doctype": "Dogan Task", "run": run.name, "workflow": run.workflow, "step": step, **fields}
	)
	task.flags.by_engine = True
	return task.insert()


def make_user(*roles: str) -> str:
	"""A new user of the desk who has these roles."""
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": f"{new_id()}@example.com",
			"first_name": "Somebody",
			"send_welcome_email": 0,
			"roles": [{"role": role} for role in roles],
		}
	)
	return user.insert().name
