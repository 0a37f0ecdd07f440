import time

import frappe
import pytest
from frappe.tests.utils import patch_hooks

from dogan_agents.host.frappe import start_run

from .conftest import POOL
from .helpers import output_of, python, succeed, task_of, work_off


def start(workflow, user=None, **input):
	run = start_run(workflow.name, input, user=user)["run"]
	work_off()
	return frappe.get_doc("Dogan Run", run)


class TestDocuments:
	def test_create_with_children(self, workshop):
		workflow = workshop.workflow(
			{
				"step": "make",
				"action": "create_document",
				"input": {
					"doctype": "Contact",
					"values": {"first_name": "{{ input.name }}", "email_ids": [{"email_id": "a@b.example"}]},
				},
			}
		)
		run = start(workflow, name="Ada")
		assert run.status == "Completed", run.error
		contact = workshop.keep(frappe.get_doc("Contact", output_of(run, "make")["name"]))
		assert (contact.first_name, contact.email_ids[0].email_id) == ("Ada", "a@b.example")

	def test_create_needs_the_user_s_permission(self, workshop):
		workflow = workshop.workflow(
			{
				"step": "make",
				"action": "create_document",
				"input": {"doctype": "Lead", "values": {"first_name": "X"}},
			}
		)
		before = frappe.db.count("Lead")
		run = start(workflow, user=workshop.user("Employee"))
		task = task_of(run, "make")
		assert (run.status, task.status, task.error_kind, task.attempt) == (
			"Failed",
			"Failed",
			"Permission",
			1,
		)
		assert frappe.db.count("Lead") == before

	def test_owner_is_the_step_s_user(self, workshop):
		user = workshop.user("Sales User", "Sales Manager")
		workflow = workshop.workflow(
			{
				"step": "make",
				"action": "create_document",
				"input": {"doctype": "Lead", "values": {"first_name": "X"}},
			}
		)
		run = start(workflow, user=user)
		lead = workshop.keep(frappe.get_doc("Lead", output_of(run, "make")["name"]))
		assert lead.owner == user

	def test_unknown_fields_and_kept_ones_are_refused(self, workshop):
		for values, reason in (
			({"colour": "red"}, "ToDo has no field colour"),
			({"owner": "Guest"}, "owner is kept by the system"),
		):
			workflow = workshop.workflow(
				{"step": "make", "action": "create_document", "input": {"doctype": "ToDo", "values": values}}
			)
			task = task_of(start(workflow), "make")
			assert task.error_kind == "Input"
			assert reason in task.error

	def test_what_is_missing_is_asked_for(self, workshop):
		workflow = workshop.workflow(
			{"step": "make", "action": "create_document", "input": {"doctype": "ToDo", "values": {}}}
		)
		run = start(workflow)
		assert task_of(run, "make").error_kind == "Missing field"
		asked = frappe.get_all(
			"ToDo", {"reference_type": "Dogan Run", "reference_name": run.name}, pluck="name"
		)
		assert len(asked) == 1
		workshop.keep(frappe.get_doc("ToDo", asked[0]))


class TestConflicts:
	@pytest.fixture
	def todo(self, workshop):
		return workshop.make("ToDo", description="first")

	def update(self, workshop, todo, policy, modified):
		workflow = workshop.workflow(
			{
				"step": "change",
				"action": "update_document",
				"input": {
					"doctype": "ToDo",
					"name": todo.name,
					"values": {"priority": "High"},
					"modified": "{{ input.modified }}",
					"on_conflict": policy,
				},
			}
		)
		return start(workflow, modified=str(modified))

	def change_elsewhere(self, todo):
		known = todo.modified
		todo.description = "second"
		todo.save()
		frappe.db.commit()
		return known

	def test_no_conflict(self, workshop, todo):
		run = self.update(workshop, todo, "Fail", todo.modified)
		assert run.status == "Completed", run.error
		assert frappe.db.get_value("ToDo", todo.name, "priority") == "High"

	def test_retry_applies_to_the_fresh_document(self, workshop, todo):
		run = self.update(workshop, todo, "Retry", self.change_elsewhere(todo))
		assert run.status == "Completed", run.error
		assert frappe.db.get_value("ToDo", todo.name, ["priority", "description"]) == ("High", "second")

	def test_fail(self, workshop, todo):
		run = self.update(workshop, todo, "Fail", self.change_elsewhere(todo))
		task = task_of(run, "change")
		assert (run.status, task.status, task.error_kind) == ("Failed", "Failed", "Permanent")
		assert frappe.db.get_value("ToDo", todo.name, "priority") == "Medium"

	def test_park_and_retry_after_a_person_has_looked(self, workshop, todo):
		run = self.update(workshop, todo, "Park", self.change_elsewhere(todo))
		task = task_of(run, "change")
		assert (run.status, task.status, task.error_kind) == ("Waiting", "Parked", "Person")
		assert "changed by Administrator" in task.error
		frappe.db.delete("ToDo", {"reference_type": "Dogan Run", "reference_name": run.name})

	def test_a_change_committed_after_our_transaction_began_is_kept(self, workshop, todo):
		"""The step's snapshot is older than the other's commit: the update must see the latest row all the same."""
		from dogan_agents.actions.documents import UpdateDocumentInput, update_document

		frappe.db.get_value("ToDo", todo.name, "description")  # the snapshot
		other = python(
			"d = frappe.get_doc('ToDo', sys.argv[1])\nd.description = 'theirs'\nd.save()\nfrappe.db.commit()",
			todo.name,
		)
		succeed(other)
		update_document(None, UpdateDocumentInput(doctype="ToDo", name=todo.name, values={"priority": "Low"}))
		frappe.db.commit()
		assert frappe.db.get_value("ToDo", todo.name, ["priority", "description"]) == ("Low", "theirs")

	def test_update_needs_the_user_s_permission(self, workshop):
		lead = workshop.make("Lead", first_name="Somebody")
		workflow = workshop.workflow(
			{
				"step": "change",
				"action": "update_document",
				"input": {"doctype": "Lead", "name": lead.name, "values": {"first_name": "Nobody"}},
			}
		)
		run = start(workflow, user=workshop.user("Employee"))
		assert task_of(run, "change").error_kind == "Permission"


class TestRunMethod:
	def run(self, workshop, method, kwargs):
		workflow = workshop.workflow(
			{"step": "call", "action": "run_method", "input": {"method": method, "kwargs": kwargs}}
		)
		return start(workflow)

	def test_only_listed_methods(self, workshop):
		task = task_of(self.run(workshop, "frappe.client.delete", {"doctype": "ToDo", "name": "x"}), "call")
		assert task.error_kind == "Permission"
		assert "not in the hook dogan_methods" in task.error

	def test_listed(self, workshop):
		with patch_hooks({"dogan_methods": ["frappe.utils.data.add_days"]}):
			run = self.run(workshop, "frappe.utils.data.add_days", {"date": "2026-01-31", "days": 1})
			assert output_of(run, "call") == {"result": "2026-02-01"}
			wrong = self.run(workshop, "frappe.utils.data.add_days", {"day": 1})
			assert task_of(wrong, "call").error_kind == "Input"


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
		run = start(workflow, user=user, communication=mail.name)
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
		run = start(workflow, user=workshop.user("Inbox User"), communication=mail.name)
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
		run = start(workflow, user=user, **(data or {}))
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
		assert start(workflow).status == "Failed"
		assert frappe.db.count("Email Queue") == before
