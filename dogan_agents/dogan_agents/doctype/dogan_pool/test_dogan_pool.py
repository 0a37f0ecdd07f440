import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, build_pool, make_run, make_task, make_workflow


class TestDoganPool(DoganTestCase):
	def test_unknown_queue_is_refused_with_the_remedy(self):
		with self.assertRaisesRegex(
			frappe.ValidationError, "Queue.*no queue.*press.*common_site_config.json"
		):
			build_pool(queue="press").insert()

	def test_time_slice_is_bounded(self):
		for time_slice in (0, 5000):
			with self.assertRaisesRegex(
				frappe.ValidationError, f"Time Slice.*between 1 and 3600, not {time_slice}"
			):
				build_pool(time_slice=time_slice).insert()

	def test_kept_while_tasks_need_it(self):
		pool = build_pool().insert()
		task = make_task(make_run(make_workflow()), pool=pool.name, status="Ready")
		with self.assertRaisesRegex(frappe.LinkExistsError, f"run .*{task.run}.* still has work"):
			pool.delete()
		task.db_set("status", "Completed")
		pool.delete()

	def test_the_shipped_ones_are_there(self):
		for name in ("default", "mail", "documents", "llm"):
			self.assertTrue(frappe.db.exists("Dogan Pool", name), name)
