import frappe
from frappe.utils import add_days, now_datetime

from dogan_agents.dogan_agents.doctype.dogan_healing_event.dogan_healing_event import DoganHealingEvent
from dogan_agents.dogan_agents.factories import DoganTestCase, make_user
from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.host.guard import ReadOnlyRecord


class TestDoganHealingEvent(DoganTestCase):
	def test_old_ones_are_cleared(self):
		old, new = self.make_event(days=31), self.make_event(days=29)
		DoganHealingEvent.clear_old_logs(days=30)
		self.assertFalse(frappe.db.exists("Dogan Healing Event", old.name))
		self.assertTrue(frappe.db.exists("Dogan Healing Event", new.name))

	def test_nobody_writes_one_by_hand(self):
		self.assertRaises(ReadOnlyRecord, self.new_event().insert)
		event = self.make_event()
		event.flags.by_engine = False
		self.assertRaises(ReadOnlyRecord, event.save)
		self.assertRaises(ReadOnlyRecord, event.delete)

	def test_who_may_read_it(self):
		event = self.make_event()
		for role, may in (
			("Dogan Operator", True),
			("Dogan Manager", True),
			("System Manager", True),
			("Sales User", False),
		):
			user = make_user(role)
			self.assertEqual(
				bool(frappe.has_permission("Dogan Healing Event", "read", event.name, user=user)), may
			)
			for ptype in ("write", "create", "delete"):
				self.assertFalse(
					frappe.has_permission("Dogan Healing Event", ptype, user=user), (role, ptype)
				)

	def test_it_knows_every_kind_and_answer(self):
		meta = frappe.get_meta("Dogan Healing Event")
		self.assertEqual(meta.get_options("kind").split("\n"), [kind.value for kind in Kind])
		self.assertEqual(meta.get_options("helped").split("\n"), [helped.value for helped in Helped])

	def new_event(self):
		return frappe.get_doc(
			doctype="Dogan Healing Event",
			name=f"test-{frappe.generate_hash(length=12)}",
			kind="Node Late",
			subject="n1",
			count=1,
		)

	def make_event(self, days: int = 0):
		event = self.new_event()
		event.last_seen = add_days(now_datetime(), -days)
		event.flags.by_engine = True
		return event.insert()
