"""What is mended, as a site writes it down and tells people of it."""

from collections.abc import Iterator
from datetime import timedelta

import frappe
import pytest

from dogan_agents.engine.healing import Kind
from dogan_agents.engine.ports import ErrorKind
from dogan_agents.host import scheduler, site
from dogan_agents.host.frappe import site_host
from dogan_agents.host.site import DrainHost

SUBJECT = "a site's test"


@pytest.fixture
def host(clean) -> Iterator[DrainHost]:
	host = DrainHost()
	yield host
	host.own.reset()
	names = frappe.get_all("Dogan Healing Event", {"subject": SUBJECT}, pluck="name")
	frappe.db.delete(
		"Notification Log", {"document_type": "Dogan Healing Event", "document_name": ("in", names or [""])}
	)
	frappe.db.delete("Dogan Healing Event", {"subject": SUBJECT})
	frappe.db.commit()


def events() -> list:
	frappe.db.rollback()
	return frappe.get_all("Dogan Healing Event", {"subject": SUBJECT}, ["name", "kind", "count"])


def test_it_is_written_beside_the_transaction_of_a_request(host):
	lead = frappe.get_doc(doctype="ToDo", description="rolled back").insert()
	site_host().healed(Kind.LOCK_RELEASED, SUBJECT, "seen", "done")
	frappe.db.rollback()
	assert not frappe.db.exists("ToDo", lead.name)
	assert [(event.kind, event.count) for event in events()] == [("Lock Released", 1)]


def test_system_managers_are_told_once(host, workshop):
	manager, other = workshop.user("System Manager"), workshop.user("Dogan Operator")
	for _ in range(12):
		host.healed(Kind.NODE_LATE, SUBJECT, "seen", "done")
	(event,) = events()
	told = frappe.get_all(
		"Notification Log",
		{"document_name": event.name},
		["for_user", "subject", "type"],
		order_by="for_user",
	)
	users = [row.for_user for row in told]
	assert users.count(manager) == 1 and other not in users
	assert (told[0].subject, told[0].type) == (f"Node Late: {SUBJECT}, 10 times within an hour", "Alert")
	assert frappe.get_doc("Notification Log", {"document_name": event.name, "for_user": manager}).name


@pytest.mark.parametrize(
	("last", "config", "silent"),
	[
		(600, {}, True),
		(60, {}, False),
		(600, {"pause_scheduler": 1}, False),
		(600, {"maintenance_mode": 1}, False),
	],
)
def test_a_scheduler_that_does_not_tick(host, last, config, silent):
	rows = host.own.query(
		"SELECT MAX(COALESCE(last_execution, creation)) FROM `tabScheduled Job Type` WHERE stopped = 0"
	)
	enabled = frappe.db.get_single_value("System Settings", "enable_scheduler")
	now = rows[0][0] + timedelta(seconds=last)
	assert bool(scheduler.silent_since(host.own, config, now)) == (silent and bool(enabled))


def test_the_sweep_tells_of_it(host, monkeypatch):
	monkeypatch.setattr(site.scheduler, "silent_since", lambda *args: host.local(0))
	host.site = SUBJECT
	host.look_around()
	host.look_around()
	assert [(event.kind, event.count) for event in events()] == [("Scheduler Silent", 1)]


def test_saving_an_agent_leaves_its_breaker_alone(host, workshop):
	agent = workshop.make("Dogan Agent", agent_name=f"Agent {frappe.generate_hash(length=8)}")
	form = frappe.get_doc("Dogan Agent", agent.name)
	for kinds in ([ErrorKind.TEMPORARY], [ErrorKind.VALIDATION, ErrorKind.TIMEOUT]):
		host.ended(agent.name, kinds)
	form.description = "changed meanwhile"
	form.save()
	frappe.db.commit()
	saved = frappe.get_doc("Dogan Agent", agent.name)
	assert saved.description == "changed meanwhile" and saved.breaker == "Closed"
	assert host.agent(agent.name).troubled
	host.ended(agent.name, [None])
	assert not host.agent(agent.name).troubled
