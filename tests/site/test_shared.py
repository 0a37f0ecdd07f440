"""Locks, shared state and the cache, as apps on a site use them."""

import frappe
import pytest
from frappe.desk import reportview

import dogan_agents
from dogan_agents.api import cache as cache_api
from dogan_agents.api import locks as locks_api
from dogan_agents.api import state as state_api
from dogan_agents.cluster.lock import LockBusy, LockLost
from dogan_agents.cluster.state import Scope
from dogan_agents.doctor import hands
from dogan_agents.doctor.finding import Level
from dogan_agents.host.cache import shared_cache
from dogan_agents.host.frappe import site_host, start_run
from dogan_agents.host.locks import site_locks
from dogan_agents.host.retention import delete_runs
from dogan_agents.host.site import DrainHost

from .helpers import python, run_of, succeed, work_off

WAIT = {"step": "first", "action": "wait", "input": {"seconds": 0}}


@pytest.fixture
def name() -> str:
	return f"till {frappe.generate_hash(length=8)}"


@pytest.fixture
def run(workshop):
	workflow = workshop.workflow(WAIT)
	workshop.finally_do(lambda: frappe.db.delete("Dogan State", {"scope": workflow.name}))
	start_run(workflow.name)
	frappe.db.commit()
	return run_of(workflow)


class TestLocks:
	def test_a_lock_over_processes(self, name):
		with dogan_agents.lock(name, ttl=5) as lock:
			code = f"""
import dogan_agents
from dogan_agents.cluster.lock import LockBusy
try:
	dogan_agents.lock({name!r}).acquire()
except LockBusy:
	print("busy")
"""
			assert succeed(python(code)).strip() == "busy"
			lock.renew()
			assert not lock.lost and lock.token > 0

	def test_the_list_and_the_form(self, name):
		with dogan_agents.lock(name) as lock:
			doc = frappe.get_doc("Dogan Lock", name)
			assert doc.token == lock.token and doc.holder.startswith("Administrator (pid ")
			assert doc.held_since < doc.expires
			assert name in frappe.get_list("Dogan Lock", pluck="name")
			assert frappe.get_list("Dogan Lock", {"name": name})[0].node == doc.node
			args = frappe._dict(filters=[["Dogan Lock", "name", "like", f"%{name[5:]}%"]], page_length=20)
			assert [row.name for row in doc.get_list(args)] == [name]
			assert doc.get_count(args) == 1
			with pytest.raises(frappe.ValidationError, match="cannot be changed by hand"):
				doc.save()
			with pytest.raises(frappe.ValidationError, match="cannot be changed by hand"):
				frappe.delete_doc("Dogan Lock", name)
		with pytest.raises(frappe.DoesNotExistError):
			frappe.get_doc("Dogan Lock", name)

	def test_as_the_desk_asks(self, name):
		with dogan_agents.lock(name):
			frappe.local.form_dict = frappe._dict(
				doctype="Dogan Lock",
				fields='["`tabDogan Lock`.`name`", "`tabDogan Lock`.`holder`"]',
				filters="[]",
				order_by="`tabDogan Lock`.`held_since` desc",
				start=0,
				page_length=20,
			)
			found = reportview.get()
			assert name in [row[found["keys"].index("name")] for row in found["values"]]
			assert reportview.get_count() >= 1

	def test_who_may_not_look(self, name, workshop):
		frappe.set_user(workshop.user())
		with pytest.raises(frappe.PermissionError):
			frappe.get_list("Dogan Lock")

	def test_release_by_force(self, name, workshop):
		manager, operator = workshop.user("Dogan Manager"), workshop.user("Dogan Operator")
		with pytest.raises(LockLost), dogan_agents.lock(name, ttl=0.6) as lock:
			frappe.set_user(operator)
			with pytest.raises(frappe.PermissionError):
				locks_api.release(name)
			frappe.set_user(manager)
			locks_api.release(name)
			with pytest.raises(frappe.DoesNotExistError):
				locks_api.release(name)
			with dogan_agents.lock(name) as other:
				assert other.token > lock.token
		frappe.set_user("Administrator")
		assert frappe.get_all("Activity Log", {"user": manager, "subject": ("like", f"%{name}%")})

	def test_sites_are_apart(self, name):
		with dogan_agents.lock(name), pytest.raises(LockBusy):
			dogan_agents.lock(name).acquire()
		assert site_locks().key("held", name).startswith(f"rq:dogan:{frappe.local.site}:lock:")


class TestState:
	def test_over_the_api(self, run):
		call = ("Run", run.name, "greetings")
		assert state_api.get(*call) == {"value": None, "revision": 0}
		revision = state_api.set(*call, value='{"hello": 1}')
		assert state_api.get(*call) == {"value": {"hello": 1}, "revision": revision}
		assert not state_api.compare_and_set(*call, revision=0, value=[])
		assert state_api.compare_and_set(*call, revision=revision, value=[])
		assert state_api.increment("Workflow", run.workflow, "seen", by=2) == 2
		assert state_api.get_all("Workflow", run.workflow) == {"seen": 2}
		assert state_api.delete(*call) and not state_api.delete(*call)

	def test_what_is_refused(self, run):
		with pytest.raises(frappe.ValidationError, match=r"1\.00 MB"):
			state_api.set("Run", run.name, "a", value=["x" * 1_000_000])
		with pytest.raises(frappe.ValidationError, match="not valid JSON"):
			state_api.set("Run", run.name, "a", value="{")
		with pytest.raises(frappe.ValidationError, match="Run or a Workflow"):
			state_api.get("Lead", run.name, "a")
		with pytest.raises(frappe.DoesNotExistError):
			state_api.get("Run", "no such", "a")

	def test_who_may(self, run, workshop):
		operator, other = workshop.user("Dogan Operator"), workshop.user("Sales User")
		frappe.set_user(other)
		for call in (state_api.get, state_api.set, state_api.delete):
			with pytest.raises(frappe.PermissionError):
				call("Run", run.name, "a")
		frappe.set_user(operator)
		state_api.set("Run", run.name, "a", value="1")
		assert state_api.get("Run", run.name, "a")["value"] == 1

	def test_it_goes_with_its_run_and_its_workflow(self, run):
		state = site_host().state_of(Scope.RUN, run.name, run.workflow, "Administrator")
		state.set("a", 1)
		state.workflow.set("a", 1)
		delete_runs([run.name])
		assert not state.all() and state.workflow.all()
		frappe.delete_doc("Dogan Workflow", run.workflow)
		assert not state.workflow.all()
		frappe.db.rollback()
		work_off()

	def test_a_row_is_not_changed_by_hand(self, run):
		state_api.set("Run", run.name, "a", value="1")
		doc = frappe.get_doc("Dogan State", {"scope": run.name})
		with pytest.raises(frappe.ValidationError, match="cannot be changed by hand"):
			doc.save()


@pytest.fixture
def at_once(monkeypatch) -> None:
	"""What has changed is cached again without the time of grace."""
	monkeypatch.setattr(shared_cache(), "grace", 0)


@pytest.fixture
def answers(at_once):
	"""What was really asked, a cached function, and what makes it forget."""
	asked = []

	@dogan_agents.cached(ttl=30)
	def price(item: str, salt: str) -> dict:
		asked.append(item)
		return {"price": len(asked)}

	salt = frappe.generate_hash(length=10)
	return asked, lambda: price("a", salt), lambda: price.invalidate("a", salt)


class TestCache:
	def test_a_function_is_asked_once(self, answers):
		asked, price, _ = answers
		assert [price() for _ in range(3)] == [{"price": 1}] * 3
		assert asked == ["a"]

	def test_what_a_transaction_changed_it_reads_itself_and_others_after_the_commit(self, answers):
		_, price, invalidate = answers
		price()
		invalidate()
		assert price() == {"price": 2}
		assert price() == {"price": 3}
		frappe.db.commit()
		assert price() == price() == {"price": 4}

	def test_what_was_rolled_back_has_not_changed(self, answers):
		_, price, invalidate = answers
		price()
		invalidate()
		frappe.db.rollback()
		assert price() == {"price": 1}

	def test_a_drain_s_definitions(self, run, at_once):
		first, second = DrainHost(), DrainHost()
		try:
			spec = first.spec(run.version)
			assert second.spec(run.version) == spec
			before = {found.group: found for found in shared_cache().stats()}["definitions"]
			assert before.memory + before.redis >= 1
		finally:
			first.own.reset()
			second.own.reset()
		work_off()

	def test_the_setting_is_followed(self, at_once, monkeypatch):
		monkeypatch.setattr("dogan_agents.host.cache.KEEP_SECONDS", 0)
		before = frappe.db.get_single_value("Dogan Settings", "cache_ttl")
		asked = []

		@dogan_agents.cached()
		def ask(salt: str) -> None:
			asked.append(salt)

		for seconds, times in ((0, 2), (30, 3)):
			frappe.local.dogan_host = None
			frappe.db.set_single_value("Dogan Settings", "cache_ttl", seconds)
			ask("a")
			ask("a")
			assert len(asked) == times
		frappe.db.set_single_value("Dogan Settings", "cache_ttl", before)
		frappe.local.dogan_host = None
		ask.clear()
		frappe.db.commit()

	def test_how_often_it_helps(self, answers, workshop):
		_, price, _ = answers
		price()
		price()
		found = next(row for row in cache_api.stats() if row["group"].endswith("price"))
		assert found["reads"] >= 2 and 0 < found["rate"] < 1
		(finding,) = hands.cache()
		assert finding.level is Level.OK and "answered by the cache" in finding.text
		frappe.set_user(workshop.user())
		with pytest.raises(frappe.PermissionError):
			cache_api.stats()
