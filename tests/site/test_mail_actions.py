"""Actions on mail: the lead of a message, and what is sent, as steps of runs on a site."""

import time

import frappe
import pytest

from dogan_agents.host.frappe import start_run

from .conftest import POOL
from .helpers import carry_out, output_of, python, succeed, task_of


def message(workshop, sender, name="Ada Lovelace", **values):
	return workshop.make(
		"Communication",
		communication_type="Communication",
		communication_medium="Email",
		sent_or_received="Received",
		subject="A question",
		content="Hello",
		sender=sender,
		sender_full_name=name,
		message_id=f"{frappe.generate_hash()}@test.example",
		**values,
	)


def address():
	return f"{frappe.generate_hash(length=10)}@sender.example"


def forget_sender(sender):
	for doctype, field in (("Lead", "email_id"), ("Contact", "email_id")):
		for name in frappe.get_all(doctype, {field: sender}, pluck="name"):
			frappe.delete_doc(doctype, name, force=True, ignore_permissions=True, ignore_missing=True)
	frappe.db.commit()


class TestLeadFromMail:
	@pytest.fixture
	def workflow(self, workshop):
		return workshop.workflow(
			{
				"step": "lead",
				"action": "lead_from_mail",
				"input": {"communication": "{{ input.communication }}"},
			}
		)

	def lead(self, workflow, mail, user=None):
		run = carry_out(workflow, user=user, communication=mail.name)
		assert run.status == "Completed", run.error
		return output_of(run, "lead")

	def test_made_then_matched(self, workshop, workflow):
		sender = address()
		workshop.finally_do(lambda: forget_sender(sender))
		first, second = message(workshop, sender), message(workshop, sender.upper())
		made = self.lead(workflow, first)
		assert made["made"] and made["lead"]
		lead = frappe.get_doc("Lead", made["lead"])
		assert (lead.lead_name, lead.first_name, lead.last_name, lead.email_id) == (
			"Ada Lovelace",
			"Ada",
			"Lovelace",
			sender,
		)
		assert self.lead(workflow, second) == {"lead": lead.name, "made": False, "reason": None}
		for mail in (first, second):
			mail.reload()
			assert (mail.reference_doctype, mail.reference_name) == ("Lead", lead.name)

	def test_a_message_about_something_else_stays_there(self, workshop, workflow):
		sender = address()
		workshop.finally_do(lambda: forget_sender(sender))
		todo = workshop.make("ToDo", description="about it")
		mail = message(workshop, sender, reference_doctype="ToDo", reference_name=todo.name)
		lead = self.lead(workflow, mail)["lead"]
		mail.reload()
		assert (mail.reference_doctype, mail.reference_name) == ("ToDo", todo.name)
		assert ("Lead", lead) in {(row.link_doctype, row.link_name) for row in mail.timeline_links}

	@pytest.mark.parametrize(
		("sender", "reason"), [("", "names no sender"), ("big bug bb@bug.com", "no mail address")]
	)
	def test_no_sender_no_lead(self, workshop, workflow, sender, reason):
		mail = message(workshop, "somebody@sender.example", name="Nobody")
		mail.db_set("sender", sender)
		found = self.lead(workflow, mail)
		assert found["lead"] is None
		assert reason in found["reason"]

	def test_permission(self, workshop, workflow):
		mail = message(workshop, address())
		run = carry_out(workflow, user=workshop.user("Inbox User"), communication=mail.name)
		assert task_of(run, "lead").error_kind == "Permission"
		sales = workshop.user("Inbox User", "Sales User")
		workshop.finally_do(lambda: forget_sender(mail.sender))
		assert self.lead(workflow, mail, user=sales)["made"]

	def test_once_from_many_processes(self, workshop, workflow):
		"""Messages of one sender, worked on at once by several workers: nobody even stumbles over another."""
		senders = [address() for _ in range(8)]
		for sender in senders:
			workshop.finally_do(lambda sender=sender: forget_sender(sender))
		mails = [
			message(workshop, sender, name=sender.partition("@")[0]) for sender in senders for _ in range(3)
		]
		workers = [python(DRAIN, workflow.name, str(len(mails)), POOL) for _ in range(3)]
		time.sleep(3)
		runs = [start_run(workflow.name, {"communication": mail.name})["run"] for mail in mails]
		frappe.db.commit()
		for worker in workers:
			succeed(worker)
		frappe.db.rollback()
		tasks = [task_of(run, "lead") for run in runs]
		assert {(task.status, task.attempt) for task in tasks} == {("Completed", 1)}, [
			task.error for task in tasks
		]
		assert len({task.worker.split("-")[1] for task in tasks}) > 1
		for sender in senders:
			assert frappe.db.count("Lead", {"email_id": sender}) == 1
		assert [output_of(run, "lead")["made"] for run in runs].count(True) == len(senders)
		for mail in mails:
			mail.reload()
			assert mail.reference_name == frappe.db.get_value("Lead", {"email_id": mail.sender})
		assert not frappe.db.sql("SELECT name FROM `tabDogan Lease` WHERE name LIKE 'hold:%%'")


# Claims one task at a time, so that the work is shared out.
DRAIN = """
import time
from dogan_agents.engine import drain as drains
from dogan_agents.host.site import DrainHost
drains.MAX_BATCH = 1
host = DrainHost()
end = time.monotonic() + 60
while time.monotonic() < end:
	frappe.db.rollback()
	if frappe.db.count("Dogan Run", {"workflow": sys.argv[1], "status": "Completed"}) == int(sys.argv[2]):
		break
	drains.drain(host, sys.argv[3])
	time.sleep(0.01)
else:
	sys.exit("not all runs completed")
"""


@pytest.fixture
def outgoing(workshop):
	"""A default outgoing account; nothing is sent, for no scheduler runs here."""
	if frappe.db.exists("Email Account", {"default_outgoing": 1, "enable_outgoing": 1}):
		return
	account = frappe.get_doc(
		doctype="Email Account",
		email_account_name=f"Out {frappe.generate_hash(length=8)}",
		email_id="office@dogan.example",
		enable_outgoing=1,
		default_outgoing=1,
		smtp_server="127.0.0.1",
		smtp_port=1,
		no_smtp_authentication=1,
		awaiting_password=1,
	)
	account.flags.ignore_validate = True
	account.insert()
	frappe.db.commit()
	workshop.keep(account)
	frappe.local.outgoing_email_account = {}


class TestSendMail:
	def send(self, workshop, user=None, data=None, **input):
		workflow = workshop.workflow(
			{"step": "mail", "action": "send_mail", "input": {"message": "Dear **friend**", **input}}
		)
		run = carry_out(workflow, user=user, **(data or {}))
		found = output_of(run, "mail") if run.status == "Completed" else task_of(run, "mail")
		if isinstance(found, dict) and found["email_queue"]:
			workshop.keep(frappe.get_doc("Email Queue", found["email_queue"]))
			if found["communication"]:
				workshop.keep(frappe.get_doc("Communication", found["communication"]))
		return found

	def test_queued_with_the_step(self, workshop, outgoing):
		found = self.send(workshop, recipients="a@b.example, c@d.example", subject="News")
		queued = frappe.get_doc("Email Queue", found["email_queue"])
		assert (queued.status, {row.recipient for row in queued.recipients}) == (
			"Not Sent",
			{"a@b.example", "c@d.example"},
		)
		assert queued.message.startswith("Auto-Submitted: auto-generated\n")
		assert "<strong>friend</strong>" in frappe.safe_decode(queued.message)

	def test_answer_is_on_the_timeline(self, workshop, outgoing):
		lead = workshop.make("Lead", first_name="Ada", email_id=address())
		mail = message(workshop, lead.email_id, reference_doctype="Lead", reference_name=lead.name)
		found = self.send(workshop, communication=mail.name)
		queued = frappe.get_doc("Email Queue", found["email_queue"])
		assert [row.recipient for row in queued.recipients] == [lead.email_id]
		assert f"In-Reply-To: <{mail.message_id}>" in queued.message
		assert queued.message.startswith("Auto-Submitted: auto-replied\n")
		sent = frappe.get_doc("Communication", found["communication"])
		assert (sent.sent_or_received, sent.reference_name, sent.subject, sent.in_reply_to) == (
			"Sent",
			lead.name,
			"Re: A question",
			mail.name,
		)

	def test_machines_are_not_answered(self, workshop, outgoing):
		for sender, data in (("mailer-daemon@b.example", {}), (address(), {"automatic": True})):
			found = self.send(workshop, communication=message(workshop, sender).name, data=data)
			assert found["email_queue"] is None
			assert "machine" in found["reason"]

	def test_permission_on_the_reference(self, workshop, outgoing):
		lead = workshop.make("Lead", first_name="Ada")
		found = self.send(
			workshop,
			user=workshop.user("Employee"),
			recipients="a@b.example",
			subject="x",
			reference_doctype="Lead",
			reference_name=lead.name,
		)
		assert found.error_kind == "Permission"

	def test_wrong_address(self, workshop, outgoing):
		assert self.send(workshop, recipients="nobody", subject="x").error_kind == "Validation"

	def test_a_failed_step_sends_nothing(self, workshop, outgoing):
		before = frappe.db.count("Email Queue")
		workflow = workshop.workflow(
			{
				"step": "mail",
				"action": "send_mail",
				"input": {"message": "x", "recipients": "a@b.example", "subject": "x", "reference_doctype": "Lead",
					"reference_name": "no such lead"},
			}
		)  # fmt: skip
		assert carry_out(workflow).status == "Failed"
		assert frappe.db.count("Email Queue") == before
