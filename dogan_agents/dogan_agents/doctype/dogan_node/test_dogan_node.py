import frappe

from dogan_agents.dogan_agents.factories import DoganTestCase, make_user


class TestDoganNode(DoganTestCase):
	def setUp(self) -> None:
		super().setUp()
		self.node = frappe.get_doc(doctype="Dogan Node", node_name=f"node-{frappe.generate_hash(length=8)}")
		self.node.flags.by_engine = True
		self.node.insert()

	def test_what_is_refused(self):
		for values, reason in (
			({"labels": "region"}, "one a line"),
			({"pools": "default\nno such"}, "no pool .*no such"),
			({"workers_max": 501}, "Workers at Most.*between 0 and 500"),
			({"workers_min": 3, "workers_max": 2}, "Workers at Least.*cannot be more"),
		):
			with self.assertRaisesRegex(frappe.ValidationError, reason):
				frappe.get_doc("Dogan Node", self.node.name).update(values).save()

	def test_what_the_machine_wrote_is_kept(self):
		frappe.db.set_value("Dogan Node", self.node.name, {"expires": 5, "status": "Healthy"})
		self.node.reload()
		self.node.update({"expires": 1, "status": "Dead", "labels": "gpu=1"}).save()
		kept = frappe.get_doc("Dogan Node", self.node.name)
		self.assertEqual((kept.expires, kept.status, kept.labels), (5, "Healthy", "gpu=1"))

	def test_nobody_makes_or_deletes_one_by_hand(self):
		for act in (
			frappe.get_doc(doctype="Dogan Node", node_name="by hand").insert,
			frappe.get_doc("Dogan Node", self.node.name).delete,
		):
			with self.assertRaisesRegex(frappe.ValidationError, "by hand"):
				act()

	def test_a_manager_writes_and_an_operator_reads(self):
		for role, writes in (("Dogan Manager", True), ("Dogan Operator", False)):
			frappe.set_user(make_user(role))
			self.assertTrue(self.node.has_permission("read"))
			self.assertEqual(self.node.has_permission("write"), writes)
			frappe.set_user("Administrator")
