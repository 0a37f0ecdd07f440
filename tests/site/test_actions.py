"""Actions on documents, and registered methods, as steps of runs on a site."""

import frappe
import pytest
from frappe.tests.utils import patch_hooks

from .helpers import carry_out, output_of, python, succeed, task_of


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
		run = carry_out(workflow, name="Ada")
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
		run = carry_out(workflow, user=workshop.user("Employee"))
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
		run = carry_out(workflow, user=user)
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
			task = task_of(carry_out(workflow), "make")
			assert task.error_kind == "Input"
			assert reason in task.error

	def test_what_is_missing_is_asked_for(self, workshop):
		workflow = workshop.workflow(
			{"step": "make", "action": "create_document", "input": {"doctype": "ToDo", "values": {}}}
		)
		run = carry_out(workflow)
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
		return carry_out(workflow, modified=str(modified))

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
		run = carry_out(workflow, user=workshop.user("Employee"))
		assert task_of(run, "change").error_kind == "Permission"


class TestRunMethod:
	def run(self, workshop, method, kwargs):
		workflow = workshop.workflow(
			{"step": "call", "action": "run_method", "input": {"method": method, "kwargs": kwargs}}
		)
		return carry_out(workflow)

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
