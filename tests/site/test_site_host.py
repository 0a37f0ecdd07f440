import frappe
import pytest

from dogan_agents.host import errors
from dogan_agents.host.actions import KEY, SiteActions
from dogan_agents.host.site import DrainHost

from .helpers import python, succeed

FRESH = """
from dogan_agents.host.site import DrainHost
host = DrainHost()
host._become("Administrator")
host.local(0)
assert host.actions["set_values"].pure
heavy = [name for name in ("erpnext.crm.doctype.lead.lead", "frappe.core.doctype.user.user") if name in sys.modules]
print(heavy)
"""


def test_a_fresh_drain_imports_nothing_that_its_step_does_not_need(site):
	list(SiteActions(pytest.fail))  # where each action is found is known from now on
	assert succeed(python(FRESH)).strip().splitlines()[-1] == "[]"


class TestSiteActions:
	def test_one_by_one_and_all(self, site):
		actions = SiteActions(pytest.fail)
		assert actions["wait"].name == "wait"
		assert {"wait", "set_values", "lead_from_mail"} <= set(actions)
		assert len(actions) == len(list(actions))

	def test_a_name_that_is_not_there(self, site):
		assert SiteActions(pytest.fail).get("nothing of the kind") is None

	def test_what_is_kept_of_other_paths_is_not_believed(self, site):
		frappe.cache.set_value(KEY, (["somewhere.else"], {"wait": "somewhere.else"}), expires_in_sec=60)
		assert SiteActions(pytest.fail)["wait"].name == "wait"

	def test_a_broken_path_stops_no_other(self, site):
		told = []
		actions = SiteActions(told.append)
		actions._paths = ["nowhere.at_all", *actions._paths]
		assert actions["wait"].name == "wait"
		assert "nowhere.at_all" in str(told[0])
		frappe.cache.delete_value(KEY)


class TestLanguage:
	def test_each_user_has_their_own(self, workshop):
		german, other = workshop.user("Employee"), workshop.user("Employee")
		frappe.db.set_value("User", german, "language", "de")
		frappe.db.set_value("User", other, "language", None)
		frappe.db.commit()
		host = DrainHost()
		host._become(german)
		assert frappe.local.lang == "de"
		host._become(other)
		assert frappe.local.lang == (frappe.db.get_default("lang") or "en")
		host.own.reset()
		frappe.local.lang = "en"


class TestExplain:
	def test_the_reason_that_frappe_left_in_its_log(self, site):
		frappe.clear_messages()
		frappe.msgprint("You may not.")
		error = frappe.PermissionError()
		errors.explain(error)
		assert errors.message(error) == "You may not."
		frappe.clear_messages()

	def test_an_error_with_words_keeps_them(self, site):
		frappe.msgprint("Something else.")
		error = frappe.ValidationError("The reason.")
		errors.explain(error)
		assert str(error) == "The reason."
		frappe.clear_messages()
