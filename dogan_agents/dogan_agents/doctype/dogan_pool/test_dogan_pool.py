import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, build_pool, make_run, make_task, make_workflow


class TestDoganPool(DoganTestCase):
	def test_a_new_queue_is_taken_and_says_what_plain_workers_need(self):
		frappe.clear_messages()
		pool = build_pool(queue="press").insert()
		line = '"press": {"timeout": 1500}'
		self.assertIn(frappe.utils.escape_html(line), str(frappe.get_message_log()[0]["message"]))
		pool.run_method("onload")  # of which the form's introduction is made
		self.assertIn("bench dogan worker --queues press", pool.get_onload("plain_worker"))
		frappe.clear_messages()
		pool.save()
		self.assertFalse(frappe.get_message_log())
		self.assertFalse(build_pool(queue="long").plain_worker())

	def test_a_queue_has_a_name(self):
		for queue in ("a b", "a,b", "rq:queue", "<b>"):
			with self.assertRaisesRegex(frappe.ValidationError, "Queue.*must be letters"):
				build_pool(queue=queue).insert()

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
