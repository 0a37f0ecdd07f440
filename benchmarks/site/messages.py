"""Incoming messages as Communications on the site, and the removal of all that came of them."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from dogan_agents.lab.mailbox import make_messages, read_message

DOMAIN = ".benchmark.invalid"


def receive(numbers: range) -> list[str]:
	"""One Communication a message, made from the real ones of the lab's mailbox; their names, committed."""
	names = [_insert(raw) for raw in make_messages(len(numbers), seed=numbers.start)]
	frappe.db.commit()
	return names


def check(communications: list[str]) -> None:
	"""Each Communication is linked to a Lead, and each sender has one Lead."""
	linked = _linked(communications)
	assert len(linked) == len(communications), f"{len(communications) - len(linked)} messages have no Lead"
	senders = {row.sender for row in linked}
	leads = {row.reference_name for row in linked}
	found = frappe.db.count("Lead", {"email_id": ["in", sorted(senders)]})
	assert len(leads) == len(senders) == found, f"{len(senders)} senders, {found} Leads"


def remove(communications: list[str]) -> None:
	"""The Communications, and the Leads that they became with what hangs on them."""
	with _without_jobs():
		for lead in sorted({row.reference_name for row in _linked(communications)}):
			frappe.delete_doc("Lead", lead, force=True, ignore_missing=True, delete_permanently=True)
		for name in communications:
			frappe.delete_doc("Communication", name, force=True, ignore_missing=True, delete_permanently=True)
	frappe.db.commit()


@contextmanager
def _without_jobs() -> Iterator[None]:
	"""Deleting enqueues a job that clears what refers to the name; the next Lead may have that name again by then.

	As in its own tests, Frappe clears it at once.
	"""
	before, frappe.flags.in_test = frappe.flags.in_test, True
	try:
		yield
	finally:
		frappe.flags.in_test = before


def _linked(communications: list[str]) -> list[frappe._dict]:
	filters = {"name": ["in", communications], "reference_doctype": "Lead"}
	return frappe.get_all("Communication", filters, ["sender", "reference_name"], order_by="name")


def _insert(raw: bytes) -> str:
	message = read_message(raw)
	communication = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": "Email",
			"sent_or_received": "Received",
			"subject": message.subject[:140] or "(no subject)",
			"content": message.text,
			"sender": message.sender_address + DOMAIN,
			"sender_full_name": message.sender_name,
			"message_id": message.message_id,
		}
	)
	return str(communication.insert(ignore_permissions=True).name)
