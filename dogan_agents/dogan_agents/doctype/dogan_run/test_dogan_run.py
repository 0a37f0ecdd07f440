import frappe
from frappe.utils import add_days, now_datetime

from dogan_agents.dogan_agents.doctype.dogan_run.dogan_run import DoganRun
from dogan_agents.dogan_agents.factories import (
	DoganTestCase,
	make_run,
	make_step,
	make_task,
	make_user,
	make_workflow,
)
from dogan_agents.engine.indexes import INDEXES, UNIQUE
from dogan_agents.host.guard import ReadOnlyRecord

test_ignore = ["Dogan Workflow", "Dogan Workflow Version", "User", "DocType"]


class TestDoganRun(DoganTestCase):
	def test_nobody_changes_it_by_hand(self):
		run = make_run(make_workflow())
		task = make_task(run)
		for doc in (run, task):
			by_hand = frappe.get_doc(doc.doctype, doc.name)
			by_hand.status = "Completed"
			with self.assertRaisesRegex(ReadOnlyRecord, doc.doctype):
				by_hand.save()

	def test_nobody_makes_or_deletes_a_task_by_hand(self):
		run = make_run(make_workflow(), status="Completed")
		task = make_task(run)
		with self.assertRaises(ReadOnlyRecord):
			frappe.delete_doc("Dogan Task", task.name)
		with self.assertRaises(ReadOnlyRecord):
			frappe.get_doc(doctype="Dogan Task", run=run.name, step="second").insert()

	def test_deleted_with_its_tasks_once_it_has_ended(self):
		run = make_run(make_workflow(), status="Running")
		task = make_task(run)
		with self.assertRaisesRegex(frappe.ValidationError, "is Running. Cancel it first"):
			run.delete()
		run.db_set("status", "Failed")
		run.delete()
		self.assertFalse(frappe.db.exists("Dogan Task", task.name))

	def test_old_runs_are_cleared_when_they_have_ended(self):
		workflow = make_workflow()
		long_ago = add_days(now_datetime(), -100)
		kept = [make_run(workflow, status="Completed"), make_run(workflow, status="Waiting")]
		gone = make_run(workflow, status="Cancelled")
		task = make_task(gone)
		for run in (kept[1], gone):
			run.db_set("modified", long_ago, update_modified=False)
		DoganRun.clear_old_logs(days=90)
		left = frappe.get_all("Dogan Run", {"workflow": workflow.name}, pluck="name", order_by="name")
		self.assertEqual(left, sorted(run.name for run in kept))
		self.assertFalse(frappe.db.exists("Dogan Task", task.name))

	def test_a_document_may_be_deleted_whatever_ran_for_it(self):
		todo = frappe.get_doc(doctype="ToDo", description="Something").insert()
		make_run(make_workflow(), reference_doctype="ToDo", reference_name=todo.name, status="Completed")
		todo.delete()


class TestVisibility(DoganTestCase):
	def test_everybody_sees_his_own(self):
		workflow = make_workflow()
		somebody, other = make_user("Sales User"), make_user("Sales User")
		run = make_run(workflow, user=somebody)
		task = make_task(run)
		self.assert_sees(somebody, run, task, True)
		self.assert_sees(other, run, task, False)

	def test_those_who_watch_see_all(self):
		run = make_run(make_workflow(), user=make_user())
		task = make_task(run)
		for role in ("Dogan Manager", "Dogan Operator", "System Manager"):
			self.assert_sees(make_user(role), run, task, True)

	def test_nobody_writes(self):
		run = make_run(make_workflow())
		for role in ("Dogan Manager", "Dogan Operator", "System Manager"):
			frappe.set_user(make_user(role))
			for ptype in ("write", "create"):
				self.assertFalse(frappe.has_permission("Dogan Run", ptype, run.name))
			frappe.set_user("Administrator")

	def assert_sees(self, user: str, run, task, expected: bool):
		frappe.set_user(user)
		for doc in (run, task):
			reads = frappe.has_permission(doc.doctype, "read", doc.name)
			self.assertEqual(reads, expected, (user, doc.doctype))
			listed = frappe.get_list(doc.doctype, {"name": doc.name}, order_by=None)
			self.assertEqual(bool(listed), expected, (user, doc.doctype))
		frappe.set_user("Administrator")


class TestIndexes(DoganTestCase):
	def test_every_index_of_the_engine_is_there(self):
		for doctype, indexes in INDEXES.items():
			self.assertLessEqual({*indexes, ("creation",)}, self.get_indexes(doctype, unique=False), doctype)
		for doctype, indexes in UNIQUE.items():
			self.assertLessEqual(set(indexes), self.get_indexes(doctype, unique=True), doctype)

	def test_a_change_of_the_form_does_not_drop_one(self):
		"""Frappe drops an index of a single column whose field does not ask for it."""
		for doctype, indexes in INDEXES.items():
			for columns in indexes:
				if len(columns) == 1:
					self.assertTrue(
						frappe.get_meta(doctype).get_field(columns[0]).search_index, (doctype, columns)
					)

	def get_indexes(self, doctype: str, unique: bool) -> set[tuple[str, ...]]:
		found: dict[str, list[str]] = {}
		for row in frappe.db.sql(f"show index from `tab{doctype}`", as_dict=True):
			if bool(row.Non_unique) != unique:
				found.setdefault(row.Key_name, []).append(row.Column_name)
		return {tuple(columns) for columns in found.values()}


class TestSteps(DoganTestCase):
	def test_a_task_is_named_after_its_run_and_step(self):
		run = make_run(make_workflow(make_step("only")))
		self.assertEqual(make_task(run, "only").name, f"{run.name}-only")
