import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, make_user


class TestDoganSettings(DoganTestCase):
	def test_bounds(self):
		for fieldname, value, reason in (
			("max_agents", 100_000, "Agents Busy at Once.*between 0 and 10000, not 100000"),
			("default_max_attempts", 0, "Attempts per Step.*between 1 and 100, not 0"),
			("workers_per_node_max", 0, "Workers per Node at Most.*between 1 and 500, not 0"),
			("workers_per_node_min", 5, "Workers per Node at Least.*between 0 and 4, not 5"),
			("default_timeout", 90_000, "Timeout per Step.*between 1 and 86400, not 90000"),
			("cache_ttl", 90_000, "Keep in Cache.*between 0 and 86400, not 90000"),
		):
			settings = frappe.get_doc("Dogan Settings")
			settings.set(fieldname, value)
			with self.assertRaisesRegex(frappe.ValidationError, reason):
				settings.save()

	def test_defaults_are_written_down(self):
		self.assertIn("max_agents", frappe.db.get_singles_dict("Dogan Settings"))

	def test_a_manager_sets_and_an_operator_reads(self):
		settings = frappe.get_doc("Dogan Settings")
		for role, writes in (("Dogan Manager", True), ("Dogan Operator", False)):
			frappe.set_user(make_user(role))
			self.assertTrue(settings.has_permission("read"))
			self.assertEqual(settings.has_permission("write"), writes)
			frappe.set_user("Administrator")
