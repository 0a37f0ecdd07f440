"""Incoming mail starts workflows."""

import hashlib
from fnmatch import fnmatchcase

import frappe
from frappe.model.document import Document

from dogan_agents.mail.automatic import is_automatic
from dogan_agents.triggers.fire import fire
from dogan_agents.triggers.lookup import Trigger, find, mail_key

LONGEST_KEY = 120


def handle(doc: Document, method: str) -> None:
	"""Hooked to the insertion of a Communication. The run is written in the message's own transaction."""
	if doc.sent_or_received == "Received" and doc.communication_medium == "Email":
		for trigger in _triggers():
			if matches(trigger, doc):
				_start(trigger, doc)


def matches(trigger: Trigger, doc: Document) -> bool:
	return (
		trigger.email_account in ("", doc.email_account)
		and glob(trigger.sender_pattern, doc.sender)
		and glob(trigger.subject_pattern, doc.subject)
	)


def glob(pattern: str, text: str | None) -> bool:
	"""Whether the text is of the pattern's form, upper or lower case; an empty pattern takes any."""
	return not pattern.strip() or fnmatchcase((text or "").strip().lower(), pattern.strip().lower())


def idempotency_key(doc: Document) -> str:
	"""The same message is the same whatever account or pull brings it."""
	if doc.message_id:
		return _short(f"mail:{doc.message_id}")
	if doc.uid and str(doc.uid) != "-1":
		return _short(f"mail:{doc.email_account}:{_uid_validity(doc)}:{doc.uid}")
	return f"mail:{doc.name}"


def _triggers() -> list[Trigger]:
	try:
		return find(mail_key())
	except Exception:
		frappe.log_error(title="Mail triggers could not be looked up", reference_doctype="Communication")
		return []


def _start(trigger: Trigger, doc: Document) -> None:
	fire(
		trigger,
		doc,
		{
			"communication": doc.name,
			"sender": doc.sender,
			"sender_full_name": doc.sender_full_name,
			"subject": doc.subject,
			"message_id": doc.message_id,
			"email_account": doc.email_account,
			"automatic": is_automatic(doc),
		},
		users=(trigger.agent_user, trigger.saved_by),
		trigger="mail",
		idempotency_key=idempotency_key(doc),
		reference_doctype="Communication",
		reference_name=doc.name,
	)


def _uid_validity(doc: Document) -> str:
	"""UIDs mean something within this only: a mailbox that was made anew counts from 1 again."""
	folder = {"parent": doc.email_account}
	if doc.imap_folder:
		folder["folder_name"] = doc.imap_folder
	return frappe.db.get_value("IMAP Folder", folder, "uidvalidity", order_by="idx") or ""


def _short(key: str) -> str:
	return key if len(key) <= LONGEST_KEY else "mail:" + hashlib.sha256(key.encode()).hexdigest()
