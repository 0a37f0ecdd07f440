"""What the demo makes on a site, and how all of it is taken away again."""

from typing import Any

import frappe

from dogan_agents.host.retention import delete_runs
from dogan_agents.lab.mail_server import HOST, MailServer

NAME = "Demo: mail to Lead"  # of the workflow, the pool and the Email Account
QUEUE = "default"
DOMAIN = "dogan-demo.example"
ADDRESS = f"sales@{DOMAIN}"
USER = f"agent@{DOMAIN}"  # in whose name the steps work
ROLES = ("Sales User", "Inbox User")
LEAD, REPLY, RECORD = "lead", "reply", "record"
STEPS: tuple[dict[str, Any], ...] = (
	{
		"step": LEAD,
		"action": "lead_from_mail",
		"input": {"communication": "{{ input.communication }}"},
	},
	{
		"step": REPLY,
		"action": "send_mail",
		"depends_on": LEAD,
		"condition": "steps.lead.output.lead and not input.automatic",
		"input": {
			"communication": "{{ input.communication }}",
			"message": "Dear {{ input.sender_full_name or 'friend' }},\n\nthank you: your message has reached us.",
		},
	},
	{
		"step": RECORD,
		"action": "create_document",
		"depends_on": REPLY,
		"input": {
			"doctype": "ToDo",
			"values": {
				"description": "Read {{ input.subject }}",
				"assigned_by": "{{ run.user }}",
				"reference_type": "Communication",
				"reference_name": "{{ input.communication }}",
			},
		},
	},
)


def define(server: MailServer) -> Any:
	"""The user, the pool, the mailbox's account and the workflow; the account."""
	frappe.get_doc(
		doctype="User",
		email=USER,
		first_name="Demo",
		send_welcome_email=0,
		roles=[{"role": role} for role in ROLES],
	).insert()
	frappe.get_doc(doctype="Dogan Pool", pool_name=NAME, queue=QUEUE).insert()
	account = _account(server)
	frappe.get_doc(
		doctype="Dogan Workflow",
		workflow_name=NAME,
		pool=NAME,
		run_as=USER,
		steps=[{**step, "input": frappe.as_json(step["input"])} for step in STEPS],
		triggers=[{"trigger_type": "Mail", "email_account": NAME}],
	).insert()
	frappe.db.commit()
	return account


def _account(server: MailServer) -> Any:
	"""What is about a Lead leaves through this account, whichever the site's default is."""
	return frappe.get_doc(
		doctype="Email Account",
		email_account_name=NAME,
		email_id=server.address,
		password=server.password,
		append_to="Lead",
		create_contact=0,
		enable_incoming=1,
		use_imap=1,
		use_ssl=0,
		email_server=HOST,
		incoming_port=server.imap_port,
		email_sync_option="UNSEEN",
		imap_folder=[{"folder_name": "INBOX"}],
		enable_outgoing=1,
		smtp_server=HOST,
		smtp_port=server.smtp_port,
		no_smtp_authentication=1,
		use_tls=0,
	).insert()


def remove() -> None:
	"""Everything that the demo makes or causes, of one that was killed, too."""
	frappe.db.rollback()
	mail = frappe.get_all("Communication", {"email_account": NAME}, pluck="name")
	theirs = ("like", f"%{DOMAIN}")
	found = {
		"ToDo": {"reference_type": "Communication", "reference_name": ("in", mail)},
		"Lead": {"email_id": theirs},
		"Contact": {"email_id": theirs},
		"Communication": {"name": ("in", mail)},
		"Email Queue": {"email_account": NAME},
		"Unhandled Email": {"email_account": NAME},
	}
	before, frappe.flags.in_test = frappe.flags.in_test, True  # else each deletion enqueues a job
	try:
		for doctype, filters in found.items():
			_delete(doctype, frappe.get_all(doctype, filters, pluck="name"))
		delete_runs(frappe.get_all("Dogan Run", {"workflow": NAME}, pluck="name"))
		for doctype in ("Dogan Workflow", "Dogan Pool", "Email Account"):
			_delete(doctype, [NAME])
		_delete("User", [USER])
	finally:
		frappe.flags.in_test = before
	frappe.db.commit()


def _delete(doctype: str, names: list[str]) -> None:
	for name in names:
		frappe.delete_doc(doctype, name, force=True, ignore_missing=True, delete_permanently=True)
	frappe.db.commit()
