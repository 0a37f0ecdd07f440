"""From a real IMAP mailbox, through Frappe's own pull, to Leads and queued answers."""

from collections import Counter
from email import message_from_bytes

import frappe
import pytest
from frappe.email.doctype.email_account.email_account import pull_from_email_account
from frappe.utils import now_datetime, validate_email_address

from dogan_agents.lab.mailbox import real_messages
from dogan_agents.mail.account import DoganInboundMail

from .helpers import output_of, runs_of, work_off
from .mailbox import make_account, serve

LEAD = {"step": "lead", "action": "lead_from_mail", "input": {"communication": "{{ input.communication }}"}}
ANSWER = {
	"step": "answer",
	"action": "send_mail",
	"depends_on": "lead",
	"condition": "steps.lead.output.lead",
	"input": {
		"communication": "{{ input.communication }}",
		"message": "Thank you for **{{ input.subject }}**.",
	},
}


def brought_in(account, workflow):
	"""How many of each there are now; others may be at work on this site."""
	frappe.db.rollback()
	ours = {"email_account": account.name}
	senders = frappe.get_all("Communication", ours, pluck="sender")
	leads = frappe.get_all("Lead", {"email_id": ("in", senders)}, pluck="name")
	return {
		"messages": frappe.db.count("Communication", ours),
		"unhandled": frappe.db.count("Unhandled Email", ours),
		"leads": len(leads),
		"contacts": frappe.db.count("Contact", {"email_id": ("in", senders)}),
		"answers": frappe.db.count(
			"Email Queue", {"reference_doctype": "Lead", "reference_name": ("in", leads)}
		),
		"runs": frappe.db.count("Dogan Run", {"workflow": workflow.name}),
	}


def parse(raw, account):
	"""As the pull reads it; None for what cannot be read."""
	try:
		return DoganInboundMail(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), account, "1", None, None)
	except Exception:
		return None


@pytest.fixture
def mailbox():
	with serve() as mailbox:
		yield mailbox


@pytest.fixture
def account(workshop, mailbox):
	"""With all it has brought in taken away in the end."""
	began = now_datetime()
	made = make_account(mailbox, default_outgoing=1)
	frappe.local.outgoing_email_account = {}
	workshop.keep(made)
	workshop.finally_do(lambda: sweep_up(made.name, began))
	return made


def sweep_up(account, began):
	def delete(doctype, **filters):
		names = frappe.get_all(
			doctype, {**filters, "creation": (">", began)}, pluck="name", order_by="creation desc"
		)
		for name in names:
			frappe.delete_doc(doctype, name, force=True, ignore_permissions=True, ignore_missing=True)

	received = frappe.get_all("Communication", {"email_account": account}, ["name", "sender"])
	senders = ("in", [row.sender for row in received if row.sender] or ["none"])
	leads = (
		"in",
		frappe.get_all("Lead", {"email_id": senders, "creation": (">", began)}, pluck="name") or ["none"],
	)
	linked = {"parent": ("in", [row.name for row in received] or ["none"]), "link_doctype": "Contact"}
	contacts = frappe.get_all("Communication Link", linked, pluck="link_name")
	delete("Email Queue", reference_name=leads)
	delete("Communication", reference_name=leads)
	delete("File", attached_to_name=("in", [row.name for row in received] or ["none"]))
	delete("Communication", email_account=account)
	delete("Unhandled Email", email_account=account)
	delete("Lead", email_id=senders)
	delete("Contact", name=("in", contacts or ["none"]))
	frappe.db.commit()


@pytest.fixture
def workflow(workshop, account):
	trigger = {"trigger_type": "Mail", "email_account": account.name}
	return workshop.workflow(
		LEAD, ANSWER, triggers=[trigger], run_as=workshop.user("Inbox User", "Sales User", "Dogan Operator")
	)


def test_every_message_of_the_corpus(mailbox, account, workflow):
	messages = list(real_messages())
	mailbox.put(messages)
	pull_from_email_account(account.name)
	work_off()

	# Each message is a Communication, or an Unhandled Email.
	parsed = [parse(raw, account) for raw in messages]
	ids = {mail.message_id for mail in parsed if mail}
	received = {"email_account": account.name, "sent_or_received": "Received"}
	there = frappe.get_all("Communication", received, ["name", "message_id", "sender"])
	unhandled = frappe.get_all("Unhandled Email", {"email_account": account.name}, ["message_id", "reason"])
	assert not Counter(row.message_id for row in there) - Counter(ids)
	for row in unhandled:
		assert "Traceback" in row.reason
	by_unhandled = {(row.message_id or "").strip("<> ") for row in unhandled}
	assert ids - {row.message_id for row in there} <= by_unhandled
	assert len(unhandled) >= parsed.count(None) > 0

	# Each Communication has one run, and each sender one Lead.
	runs = runs_of(workflow)
	assert len(runs) == len(there) > 40
	statuses = Counter(frappe.get_all("Dogan Run", {"workflow": workflow.name}, pluck="status"))
	assert statuses == {"Completed": len(there)}, failures(workflow)
	for sender in {row.sender.lower() for row in there if row.sender and validate_email_address(row.sender)}:
		assert frappe.db.count("Lead", {"email_id": sender}) == 1, sender
	outputs = [output_of(run, "lead") for run in runs]
	made = [output["lead"] for output in outputs if output["made"]]
	assert len(set(made)) == len(made) <= brought_in(account, workflow)["leads"]
	assert all(output["lead"] or output["reason"] for output in outputs)

	# An acknowledgement is queued once, and never to a machine.
	answers = [frappe.parse_json(row) for row in answers_of(workflow)]
	queued = [answer["email_queue"] for answer in answers if answer["email_queue"]]
	assert len(set(queued)) == len(queued) > 30
	assert all(answer["email_queue"] or answer["reason"] for answer in answers)
	recipients = frappe.get_all("Email Queue Recipient", {"parent": ("in", queued)}, pluck="recipient")
	assert not [address for address in recipients if address.lower().startswith(("mailer-daemon", "noreply"))]

	# The same mailbox pulled again, and offered as new once more, changes nothing.
	after = brought_in(account, workflow)
	pull_from_email_account(account.name)
	mailbox.mark_unread()
	pull_from_email_account(account.name)
	work_off()
	assert brought_in(account, workflow) == after


def test_a_broken_message_takes_no_other_with_it(mailbox, account, workflow):
	good = b"From: ada@sender.example\r\nSubject: %d\r\nMessage-ID: <%d@x.example>\r\n\r\nHello\r\n"
	bad = b"Subject: from nobody\r\n\r\nHello\r\n"
	mailbox.put([good % (1, 1), bad, good % (2, 2)])
	pull_from_email_account(account.name)
	assert frappe.db.count("Communication", {"email_account": account.name}) == 2
	assert frappe.db.count("Unhandled Email", {"email_account": account.name}) == 1
	assert len(runs_of(workflow)) == 2


def test_a_message_without_an_id_is_known_again(mailbox, account, workflow):
	mailbox.put([b"From: ada@sender.example\r\nSubject: no id\r\n\r\nHello\r\n"])
	for _ in range(2):
		pull_from_email_account(account.name)
		mailbox.mark_unread()
	assert frappe.db.count("Communication", {"email_account": account.name}) == 1
	assert len(runs_of(workflow)) == 1


def test_what_the_header_says_of_machines(mailbox, account, workflow):
	head = b"From: ada@sender.example\r\nSubject: x\r\n"
	mailbox.put([head + b"Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n", head + b"\r\nI am here.\r\n"])
	pull_from_email_account(account.name)
	work_off()
	answers = [frappe.parse_json(row) for row in answers_of(workflow)]
	assert sorted(bool(answer["email_queue"]) for answer in answers) == [False, True]
	assert "machine" in next(answer["reason"] for answer in answers if not answer["email_queue"])


def test_the_answer_is_sent_and_says_what_it_is(mailbox, account, workflow):
	mailbox.put([b"From: ada@sender.example\r\nSubject: Offer\r\nMessage-ID: <7@x.example>\r\n\r\nHello\r\n"])
	pull_from_email_account(account.name)
	work_off()
	(answer,) = [frappe.parse_json(row) for row in answers_of(workflow)]
	queued = frappe.get_doc("Email Queue", answer["email_queue"])
	queued.db_set("email_account", account.name)  # whatever the site's default account is meanwhile
	queued.send()
	assert frappe.db.get_value("Email Queue", answer["email_queue"], "status") == "Sent"
	sent = message_from_bytes(mailbox.messages()[-1])
	assert (sent["To"], sent["In-Reply-To"], sent["Auto-Submitted"]) == (
		"ada@sender.example",
		"<7@x.example>",
		"auto-replied",
	)
	lead = frappe.db.get_value("Lead", {"email_id": "ada@sender.example"})
	timeline = frappe.get_all(
		"Communication", {"reference_name": lead}, pluck="sent_or_received", order_by="creation"
	)
	assert timeline == ["Received", "Sent"]


def answers_of(workflow):
	frappe.db.rollback()
	return frappe.get_all(
		"Dogan Task", {"workflow": workflow.name, "step": "answer", "status": "Completed"}, pluck="output"
	)


def failures(workflow):
	return frappe.get_all(
		"Dogan Task",
		{"workflow": workflow.name, "status": ("not in", ["Completed", "Skipped"])},
		["step", "error"],
	)
