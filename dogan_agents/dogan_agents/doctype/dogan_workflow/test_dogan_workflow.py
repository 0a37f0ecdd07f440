from typing import Any

import frappe

from dogan_agents.dogan_agents.doctype.dogan_workflow.refusal import WorkflowRefused
from dogan_agents.dogan_agents.factories import (
	DoganTestCase,
	build_pool,
	build_workflow,
	make_agent,
	make_run,
	make_step,
	make_user,
	make_workflow,
)

test_ignore = ["User", "Email Account", "DocType"]


class TestRefusal(DoganTestCase):
	"""A workflow is refused on save, with the place and the reason."""

	def assert_refused(
		self, workflow, field: str, reason: str, row: int | None = 1, table: str | None = "steps"
	):
		with self.assertRaises(WorkflowRefused) as caught:
			workflow.insert()
		refused = caught.exception
		self.assertEqual((refused.table, refused.row, refused.field), (table, row, field), refused.reason)
		self.assertIn(reason, refused.reason)
		label = frappe.get_meta(workflow.meta.get_options(table) if table else workflow.doctype).get_label(
			field
		)
		self.assertIn(label, str(refused))

	def assert_step_refused(self, field: str, reason: str, **step: Any):
		self.assert_refused(build_workflow(make_step(**step)), field, reason)

	def assert_trigger_refused(self, field: str, reason: str, **trigger: Any):
		self.assert_refused(build_workflow(triggers=[trigger]), field, reason, table="triggers")

	def test_cycle(self):
		steps = [
			make_step("a", depends_on="c"),
			make_step("b", depends_on="a"),
			make_step("c", depends_on="b"),
		]
		with self.assertRaises(WorkflowRefused) as caught:
			build_workflow(*steps).insert()
		self.assertEqual(caught.exception.field, "depends_on")
		self.assertIn("the steps form a cycle", caught.exception.reason)

	def test_step_after_itself(self):
		self.assert_step_refused("depends_on", "first → first", depends_on="first")

	def test_unknown_step(self):
		self.assert_step_refused("depends_on", "there is no step nowhere", depends_on="nowhere")

	def test_repeated_step(self):
		workflow = build_workflow(make_step("a"), make_step("b"), make_step("a"))
		self.assert_refused(workflow, "step", "another step has the same name", row=3)

	def test_malformed_step(self):
		self.assert_step_refused("step", "starts with a letter", step="Not a name")

	def test_no_step(self):
		workflow = build_workflow()
		workflow.steps = []
		self.assert_refused(workflow, "steps", "at least one step", row=None, table=None)

	def test_unknown_action(self):
		self.assert_step_refused("action", "there is no action fly", action="fly")

	def test_unknown_agent(self):
		with self.assertRaisesRegex(frappe.LinkValidationError, "Row #1: Agent: Nobody"):
			build_workflow(make_step(agent="Nobody")).insert()

	def test_action_the_agent_may_not_perform(self):
		agent = make_agent(actions=("shout",)).name
		self.assert_step_refused("action", f"agent {agent} may not perform note", agent=agent)

	def test_action_the_workflow_s_agent_may_not_perform(self):
		workflow = build_workflow(agent=make_agent(actions=("shout",)).name)
		self.assert_refused(workflow, "action", "may not perform note")

	def test_disabled_pool(self):
		pool = build_pool(enabled=0).insert().name
		self.assert_step_refused("pool", f"the pool {pool} is disabled", pool=pool)
		self.assert_refused(build_workflow(pool=pool), "pool", "is disabled", row=None, table=None)

	def test_input_that_is_not_json(self):
		self.assert_step_refused("input", "not valid JSON", input="{text: hello}")
		self.assert_step_refused("input", "not a JSON object", input="[1, 2]")

	def test_input_that_does_not_fit(self):
		self.assert_step_refused("input", "note needs the field text", input="{}")
		self.assert_step_refused("input", "note knows no field colour", input='{"text": "", "colour": "red"}')
		self.assert_step_refused("input", "times: ", input='{"text": "", "times": "often"}')

	def test_bad_condition(self):
		self.assert_step_refused("condition", "input.amount >", condition="input.amount >")
		self.assert_step_refused("condition", "unknown name order", condition="order.amount > 1")

	def test_condition_on_a_step_that_has_not_ended(self):
		workflow = build_workflow(make_step("a"), make_step("b", condition="steps.a.output.ok"))
		self.assert_refused(workflow, "condition", "step a has not ended before this one", row=2)

	def test_bad_template(self):
		self.assert_step_refused("input", "{{ input.name }", input='{"text": "{{ input.name }"}')
		self.assert_step_refused("input", "unknown name doc", input='{"text": "{{ doc.name }}"}')

	def test_bad_fairness_key(self):
		workflow = build_workflow(fairness_key="{{ input.company")
		self.assert_refused(workflow, "fairness_key", "{{ input.company", row=None, table=None)

	def test_priority_out_of_bounds(self):
		self.assert_refused(
			build_workflow(priority=12), "priority", "less than or equal to 9", row=None, table=None
		)

	def test_bad_cron(self):
		self.assert_trigger_refused("cron", "five fields", trigger_type="Schedule", cron="every day")
		self.assert_trigger_refused("cron", "not a cron line", trigger_type="Schedule", cron="61 * * * *")
		self.assert_trigger_refused("cron", "a schedule needs it", trigger_type="Schedule")

	def test_a_schedule_has_its_own_names_and_no_condition(self):
		line = {"trigger_type": "Schedule", "cron": "0 7 * * *"}
		self.assert_trigger_refused("condition", "no condition", condition="1 > 0", **line)
		self.assert_trigger_refused("input", "unknown name doc", input='{"a": "{{ doc.name }}"}', **line)

	def test_incomplete_document_event(self):
		event = {"trigger_type": "Document Event"}
		self.assert_trigger_refused("document_type", "needs it", **event, document_event="on_update")
		self.assert_trigger_refused("document_event", "needs it", **event, document_type="ToDo")

	def test_bad_trigger_texts(self):
		self.assert_trigger_refused(
			"condition", "unknown name input", trigger_type="Mail", condition="input.a"
		)
		self.assert_trigger_refused(
			"input", "unknown name steps", trigger_type="Mail", input='{"a": "{{ steps.a }}"}'
		)
		self.assert_trigger_refused("input", "not valid JSON", trigger_type="Mail", input="{")

	def test_mail_trigger_needs_nothing(self):
		self.assertTrue(make_workflow(triggers=[{"trigger_type": "Mail"}]).current_version)


class TestVersions(DoganTestCase):
	def test_first_save_freezes_the_definition(self):
		pool = build_pool().insert().name
		workflow = make_workflow(
			make_step("a", action="shout"),
			make_step("b", depends_on="a"),
			make_step("c", depends_on="a,\nb"),
			pool=pool,
		)
		self.assertEqual(workflow.current_version, f"{workflow.name}-v1")
		definition = frappe.parse_json(self.get_version(workflow).definition)
		self.assertEqual([step["depends_on"] for step in definition["steps"]], [[], ["a"], ["a", "b"]])
		self.assertEqual([step["external"] for step in definition["steps"]], [True, False, False])
		self.assertEqual((definition["workflow"], definition["pool"]), (workflow.name, pool))

	def test_only_a_change_of_the_definition_makes_a_version(self):
		workflow = make_workflow()
		workflow.description = "Another word for it"
		workflow.append("triggers", {"trigger_type": "Mail"})
		workflow.save()
		self.assertEqual(workflow.current_version, f"{workflow.name}-v1")
		workflow.append("steps", make_step("second", depends_on="first"))
		workflow.save()
		self.assertEqual(workflow.current_version, f"{workflow.name}-v2")
		workflow.reload()
		self.assertEqual(workflow.current_version, f"{workflow.name}-v2")

	def test_moving_an_agent_moves_its_workflows(self):
		agent = make_agent()
		workflow = make_workflow(agent=agent.name)
		agent.pool = build_pool().insert().name
		agent.save()
		workflow.reload()
		self.assertEqual(workflow.current_version, f"{workflow.name}-v2")
		self.assertIn(agent.pool, self.get_version(workflow).definition)

	def test_deleting_a_workflow_takes_its_history_along(self):
		workflow = make_workflow()
		run = make_run(workflow, status="Running")
		with self.assertRaisesRegex(frappe.LinkExistsError, "1 runs that have not ended"):
			workflow.delete()
		run.db_set("status", "Completed")
		workflow.delete()
		self.assertFalse(frappe.db.exists("Dogan Run", run.name))
		self.assertFalse(frappe.db.exists("Dogan Workflow Version", {"workflow": workflow.name}))

	def get_version(self, workflow):
		return frappe.get_doc("Dogan Workflow Version", workflow.current_version)


class TestIdentity(DoganTestCase):
	def test_a_manager_defines_but_lends_nobody_s_name(self):
		other = make_user()
		frappe.set_user(make_user("Dogan Manager"))
		self.assertTrue(make_workflow(run_as=frappe.session.user).current_version)
		with self.assertRaisesRegex(frappe.PermissionError, "Runs as User"):
			make_workflow(run_as=other)

	def test_a_system_manager_may_lend_names(self):
		other = make_user()
		frappe.set_user(make_user("System Manager", "Dogan Manager"))
		self.assertTrue(make_workflow(run_as=other).current_version)

	def test_a_manager_cannot_change_what_runs_as_another(self):
		workflow = make_workflow(run_as=make_user())
		frappe.set_user(make_user("Dogan Manager"))
		workflow = frappe.get_doc("Dogan Workflow", workflow.name)
		workflow.append("steps", make_step("second"))
		with self.assertRaisesRegex(frappe.PermissionError, "Runs as User"):
			workflow.save()

	def test_never_administrator_or_guest(self):
		for user in ("Administrator", "Guest"):
			with self.assertRaisesRegex(frappe.ValidationError, f"Runs as User.*{user} may not be chosen"):
				make_workflow(run_as=user)

	def test_an_operator_reads_and_others_do_not(self):
		workflow = make_workflow()
		for role, reads in (("Dogan Operator", True), ("Desk User", False)):
			frappe.set_user(make_user(role) if role != "Desk User" else make_user("Sales User"))
			self.assertEqual(workflow.has_permission("read"), reads)
			self.assertFalse(workflow.has_permission("write"))
			frappe.set_user("Administrator")
