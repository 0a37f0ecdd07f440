import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, build_agent, build_pool, make_agent, make_user

test_ignore = ["User"]


class TestDoganAgent(DoganTestCase):
	def test_unknown_and_repeated_actions(self):
		with self.assertRaisesRegex(frappe.ValidationError, "Allowed Actions.*row 2: there is no action fly"):
			build_agent(actions=("note", "fly")).insert()
		with self.assertRaisesRegex(frappe.ValidationError, "Allowed Actions.*row 2: note is listed twice"):
			build_agent(actions=("note", "note")).insert()

	def test_disabled_pool(self):
		with self.assertRaisesRegex(frappe.ValidationError, "Pool.*is disabled"):
			build_agent(pool=build_pool(enabled=0).insert().name).insert()

	def test_acts_as_a_user_who_may_act(self):
		disabled = make_user()
		frappe.db.set_value("User", disabled, "enabled", 0)
		for user, reason in (
			("Administrator", "may not be chosen"),
			("Guest", "may not be chosen"),
			(disabled, "is disabled"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, f"Acts as User.*{reason}"):
				build_agent(user=user).insert()

	def test_only_a_system_manager_chooses_another_user(self):
		other = make_user()
		frappe.set_user(make_user("Dogan Manager"))
		self.assertTrue(make_agent(user=frappe.session.user).name)
		with self.assertRaisesRegex(frappe.PermissionError, "Acts as User.*only a System Manager"):
			make_agent(user=other)
