import time
from email import message_from_string

import frappe
import pytest

from dogan_agents.mail.automatic import looks_automatic, says_automatic
from dogan_agents.mail.trigger import glob, idempotency_key
from dogan_agents.triggers import lookup

from .helpers import python, run_of, runs_of, succeed, work_off

NOTE = {"step": "note", "action": "wait", "condition": "false", "input": {"seconds": 0}}  # is skipped


@pytest.fixture
def user(workshop):
	return workshop.user("Inbox User", "Sales User")


def mail(sender="ada@sender.example", subject="Hello", commit=True, **values):
	doc = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"subject": subject,
			"content": "Hello",
			"sender": sender,
			"sender_full_name": "Ada",
			"message_id": f"{frappe.generate_hash()}@test.example",
			**values,
		}
	)
	doc.flags.in_receive = True
	doc.insert()
	if commit:
		frappe.db.commit()
	return doc


def errors_about(workflow):
	frappe.db.rollback()
	return frappe.get_all("Error Log", {"method": ("like", f"%{workflow.name}%")}, pluck="error")


class TestMail:
	@pytest.fixture
	def workflow(self, workshop, user):
		return workshop.workflow(NOTE, triggers=[{"trigger_type": "Mail"}], run_as=user)

	def test_starts_a_run(self, workshop, workflow, user):
		message = workshop.keep(mail(subject="Offer?"))
		run = run_of(workflow)
		assert (run.status, run.user, run.trigger) == ("Queued", user, "mail")
		assert (run.reference_doctype, run.reference_name) == ("Communication", message.name)
		assert frappe.parse_json(run.input) == {
			"communication": message.name,
			"sender": "ada@sender.example",
			"sender_full_name": "Ada",
			"subject": "Offer?",
			"message_id": message.message_id,
			"email_account": None,
			"automatic": False,
		}
		work_off()
		assert run_of(workflow).status == "Completed"

	def test_rollback_leaves_nothing(self, workflow):
		mail(commit=False)
		assert frappe.db.count("Dogan Run", {"workflow": workflow.name}) == 1
		assert runs_of(workflow) == []

	def test_commit_loses_nothing_even_when_the_process_dies_at_once(self, workshop, workflow):
		"""No wake-up gets out: the row alone is enough."""
		message = python(DIE_AFTER_COMMIT, "ada@sender.example")
		name = succeed(message).strip().splitlines()[-1]
		workshop.keep(frappe.get_doc("Communication", name))
		assert run_of(workflow).reference_name == name
		work_off()
		assert run_of(workflow).status == "Completed"

	def test_the_same_message_starts_one_run(self, workshop, workflow):
		first = workshop.keep(mail())
		workshop.keep(mail(message_id=first.message_id))
		assert run_of(workflow).reference_name == first.name

	def test_keys(self):
		def key(**values):
			return idempotency_key(frappe.get_doc({"doctype": "Communication", **values}))

		assert key(message_id="a@b") == "mail:a@b"
		assert key(message_id="x" * 500 + "@b") == key(message_id="x" * 500 + "@b", uid=7)
		assert len(key(message_id="x" * 500)) <= 140
		assert key(uid=7, email_account="A") == "mail:A::7"
		assert key(uid=-1, name="c1") == "mail:c1"

	@pytest.mark.parametrize(
		("pattern", "text", "fits"),
		[
			("", "anything", True),
			("*@sender.example", "Ada@SENDER.example", True),
			("*@sender.example", "ada@other.example", False),
			("re: *", "RE: your offer", True),
			("invoice*", None, False),
		],
	)
	def test_glob(self, pattern, text, fits):
		assert glob(pattern, text) is fits

	def test_account_patterns_and_condition(self, workshop, user):
		trigger = {
			"trigger_type": "Mail",
			"sender_pattern": "*@sender.example",
			"subject_pattern": "*offer*",
			"condition": "doc.sender_full_name == 'Ada'",
			"input": {"about": "{{ doc.subject | upper }}"},
		}
		workflow = workshop.workflow(NOTE, triggers=[trigger], run_as=user)
		for values in (
			{"sender": "ada@other.example", "subject": "Offer"},
			{"subject": "Complaint"},
			{"subject": "Offer", "sender_full_name": "Bob"},
		):
			workshop.keep(mail(**values))
		assert runs_of(workflow) == []
		workshop.keep(mail(subject="Your offer"))
		data = frappe.parse_json(run_of(workflow).input)
		assert (data["about"], data["sender"]) == ("YOUR OFFER", "ada@sender.example")

	def test_sent_mail_and_calls_start_nothing(self, workshop, workflow):
		workshop.keep(mail(sent_or_received="Sent", recipients="x@y.example"))
		workshop.keep(mail(communication_medium="Phone"))
		assert runs_of(workflow) == []

	def test_machines_are_told_apart(self, workshop, workflow):
		workshop.keep(mail(sender="MAILER-DAEMON@sender.example"))
		assert frappe.parse_json(run_of(workflow).input)["automatic"] is True

	def test_a_failing_trigger_stops_neither_the_mail_nor_the_others(self, workshop, workflow, user):
		broken = workshop.workflow(
			NOTE, run_as=user, triggers=[{"trigger_type": "Mail", "condition": "doc.no_such_field > 1"}]
		)
		message = workshop.keep(mail())
		assert frappe.db.exists("Communication", message.name)
		assert runs_of(broken) == []
		assert run_of(workflow)
		assert "no_such_field" in errors_about(broken)[0]

	def test_nobody_to_run_as(self, workshop):
		workflow = workshop.workflow(NOTE, triggers=[{"trigger_type": "Mail"}])
		workshop.keep(mail())
		assert runs_of(workflow) == []
		assert "has nobody to run as" in errors_about(workflow)[0]

	def test_runs_as_the_agent_s_user(self, workshop, user):
		agent = workshop.make("Dogan Agent", agent_name=f"Agent {frappe.generate_hash(length=8)}", user=user)
		workflow = workshop.workflow(NOTE, triggers=[{"trigger_type": "Mail"}], agent=agent.name)
		workshop.keep(mail())
		assert run_of(workflow).user == user

	def test_a_disabled_workflow_or_trigger_starts_nothing(self, workshop, user):
		workflow = workshop.workflow(NOTE, triggers=[{"trigger_type": "Mail"}], run_as=user)
		workflow.triggers[0].enabled = 0
		workflow.save()
		frappe.db.commit()
		workshop.keep(mail())
		workflow.triggers[0].enabled = 1
		workflow.enabled = 0
		workflow.save()
		frappe.db.commit()
		workshop.keep(mail())
		assert runs_of(workflow) == []

	def test_a_change_is_noticed_by_other_processes_within_seconds(self, workshop, user):
		lookup.find(lookup.mail_key())
		workflow = python(ADD_TRIGGER, user)
		name = succeed(workflow).strip().splitlines()[-1]
		workshop.keep(frappe.get_doc("Dogan Workflow", name))
		end = time.monotonic() + 10
		while not any(trigger.workflow == name for trigger in lookup.find(lookup.mail_key())):
			assert time.monotonic() < end
			time.sleep(0.1)


DIE_AFTER_COMMIT = """
import os
doc = frappe.get_doc({"doctype": "Communication", "communication_type": "Communication", "subject": "x",
	"communication_medium": "Email", "sent_or_received": "Received", "content": "x", "sender": sys.argv[1]})
doc.flags.in_receive = True
frappe.set_user("Administrator")
doc.insert()
print(doc.name, flush=True)
frappe.db.sql("commit")
os._exit(0)
"""

ADD_TRIGGER = """
frappe.set_user("Administrator")
doc = frappe.get_doc({"doctype": "Dogan Workflow", "workflow_name": "Test " + frappe.generate_hash(length=10),
	"run_as": sys.argv[1], "triggers": [{"trigger_type": "Mail", "subject_pattern": "nothing at all"}],
	"steps": [{"step": "note", "action": "wait", "input": '{"seconds": 0}'}]}).insert()
frappe.db.commit()
print(doc.name)
"""


@pytest.mark.parametrize(
	("sender", "subject", "robot"),
	[
		("ada@sender.example", "Auto parts", False),
		("noreplying@sender.example", "Hello", False),
		("no-reply@sender.example", "Hello", True),
		("bounces+7=x@list.example", "Hello", True),
		("MAILER-DAEMON@sender.example", "", True),
		("ada@sender.example", "Out of office: Re: your offer", True),
		("ada@sender.example", "Undelivered Mail Returned to Sender", True),
		(None, None, False),
	],
)
def test_looks_automatic(sender, subject, robot):
	assert looks_automatic(sender, subject) is robot


@pytest.mark.parametrize(
	("header", "robot"),
	[
		("Subject: x", False),
		("Auto-Submitted: no", False),
		("Auto-Submitted: auto-generated; type=x", True),
		("Precedence: bulk", True),
		("List-Id: <x.example>", True),
		("Return-Path: <>", True),
		("Content-Type: multipart/report; boundary=x", True),
	],
)
def test_says_automatic(header, robot):
	assert says_automatic(message_from_string(f"{header}\n\nHello")) is robot


class TestDocumentEvents:
	def workflow(self, workshop, event="after_insert", doctype="ToDo", **values):
		trigger = {"trigger_type": "Document Event", "document_type": doctype, "document_event": event}
		trigger |= {key: values.pop(key) for key in ("condition", "input") if key in values}
		return workshop.workflow(values.pop("step", NOTE), triggers=[trigger], **values)

	def test_starts_a_run_as_the_user_who_caused_it(self, workshop, user):
		workflow = self.workflow(
			workshop, condition="doc.priority == 'High'", input={"text": "{{ doc.description }}"}
		)
		frappe.set_user(user)
		workshop.make("ToDo", description="slow", priority="Low")
		todo = workshop.make("ToDo", description="fast", priority="High")
		run = run_of(workflow)
		assert (run.user, run.trigger, run.reference_doctype, run.reference_name) == (
			user,
			"document",
			"ToDo",
			todo.name,
		)
		data = {"doctype": "ToDo", "name": todo.name, "event": "after_insert", "text": "fast"}
		assert frappe.parse_json(run.input) == data

	def test_a_table_called_items(self, workshop, user):
		workflow = self.workflow(
			workshop, doctype="Contact", run_as=user, input={"first": "{{ doc.email_ids[0].email_id }}"}
		)
		workshop.make("Contact", first_name="Ada", email_ids=[{"email_id": "ada@sender.example"}])
		assert frappe.parse_json(run_of(workflow).input)["first"] == "ada@sender.example"

	@pytest.mark.parametrize("event", ["on_update", "on_trash"])
	def test_events(self, workshop, user, event):
		workflow = self.workflow(workshop, event, run_as=user)
		todo = frappe.get_doc(doctype="ToDo", description="x").insert()
		frappe.db.commit()
		if event == "on_trash":
			assert runs_of(workflow) == []
		todo.delete()
		frappe.db.commit()
		assert run_of(workflow).reference_name == todo.name

	def test_rollback_leaves_nothing(self, workshop, user):
		workflow = self.workflow(workshop, run_as=user)
		frappe.get_doc(doctype="ToDo", description="x").insert()
		assert frappe.db.count("Dogan Run", {"workflow": workflow.name}) == 1
		assert runs_of(workflow) == []

	def test_a_wrong_condition_is_logged_and_the_document_saved(self, workshop, user):
		workflow = self.workflow(workshop, condition="doc.nothing.more", run_as=user)
		todo = workshop.make("ToDo", description="x")
		assert frappe.db.exists("ToDo", todo.name)
		assert runs_of(workflow) == []
		assert "nothing" in errors_about(workflow)[0]

	def test_a_workflow_does_not_start_itself_again(self, workshop):
		step = {
			"step": "change",
			"action": "update_document",
			"input": {
				"doctype": "ToDo",
				"name": "{{ run.reference_name }}",
				"values": {"color": "{{ '#' ~ '%06d' | format(range(99999) | random) }}"},
			},
		}
		user = workshop.user("System Manager")
		workflow = self.workflow(workshop, "on_update", step=step, run_as=user)
		todo = workshop.make("ToDo", description="x")
		for _ in range(3):
			work_off()
		run = run_of(workflow)
		assert run.status == "Completed", run.error
		assert frappe.db.get_value("ToDo", todo.name, "color")

	def test_costs_almost_nothing_when_nobody_listens(self, workshop):
		from dogan_agents.triggers.document import handle

		todo = workshop.make("ToDo", description="x")
		handle(todo, "on_update")
		began = time.perf_counter()
		for _ in range(1000):
			handle(todo, "on_update")
		assert (time.perf_counter() - began) / 1000 < 100e-6
