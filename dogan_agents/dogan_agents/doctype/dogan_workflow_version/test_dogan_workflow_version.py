import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, make_run, make_step, make_workflow
from dogan_agents.host.guard import ReadOnlyRecord

test_ignore = ["Dogan Workflow"]


class TestDoganWorkflowVersion(DoganTestCase):
	def test_frozen(self):
		version = frappe.get_doc("Dogan Workflow Version", make_workflow().current_version)
		version.definition = "{}"
		with self.assertRaisesRegex(ReadOnlyRecord, f"{version.name}.* is frozen"):
			version.save()

	def test_kept_while_runs_refer_to_it(self):
		workflow = make_workflow()
		first = workflow.current_version
		run = make_run(workflow, status="Completed")
		workflow.append("steps", make_step("second"))
		workflow.save()
		with self.assertRaisesRegex(frappe.LinkExistsError, f"run .*{run.name}.* refers to it"):
			frappe.delete_doc("Dogan Workflow Version", first)
		run.delete()
		frappe.delete_doc("Dogan Workflow Version", first)
		self.assertFalse(frappe.db.exists("Dogan Workflow Version", first))

	def test_the_current_one_is_kept(self):
		with self.assertRaises(frappe.LinkExistsError):
			frappe.delete_doc("Dogan Workflow Version", make_workflow().current_version)
