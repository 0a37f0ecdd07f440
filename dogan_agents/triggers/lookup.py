"""Which enabled workflows want to hear of what: kept in Redis, and for a moment in the process."""

import time
from dataclasses import dataclass
from typing import Any

import frappe
import pymysql

from dogan_agents.engine import payload
from dogan_agents.host.frappe import site_host

KEY = "dogan_triggers"
KEEP_SECONDS = 1.0  # in the process: how late a change may be noticed when all goes well
EXPIRE_SECONDS = 8  # in Redis: how late when a reader has just put back what it read before the change

READ = """
	SELECT t.trigger_type, t.document_type, t.document_event, t.email_account, t.sender_pattern, t.subject_pattern,
		t.`condition`, t.input, w.name, w.modified_by, w.run_as, a.user
	FROM `tabDogan Workflow Trigger` t
	JOIN `tabDogan Workflow` w ON w.name = t.parent
	LEFT JOIN `tabDogan Agent` a ON a.name = w.agent
	WHERE t.enabled = 1 AND w.enabled = 1 AND t.trigger_type != 'Schedule' ORDER BY w.name, t.idx
"""

_kept: dict[str, tuple[float, dict[str, list["Trigger"]]]] = {}


@dataclass(frozen=True)
class Trigger:
	kind: str
	document_type: str
	document_event: str
	email_account: str
	sender_pattern: str
	subject_pattern: str
	condition: str
	input: dict[str, Any]
	workflow: str
	saved_by: str
	run_as: str
	agent_user: str

	@property
	def key(self) -> str:
		return mail_key() if self.kind == "Mail" else document_key(self.document_type, self.document_event)


def mail_key() -> str:
	return "Mail"


def document_key(doctype: str, event: str) -> str:
	return f"{doctype}:{event}"


def find(key: str) -> list[Trigger]:
	"""The enabled triggers of a key; almost always there are none, and that must cost almost nothing."""
	until, found = _kept.get(frappe.local.site, (0.0, {}))
	if time.monotonic() > until:
		found = _shared()
		_kept[frappe.local.site] = (time.monotonic() + KEEP_SECONDS, found)
	return found.get(key, [])


def forget_after_commit() -> None:
	"""A workflow or an agent was saved: forget what is known of triggers, once that is committed."""
	frappe.db.after_commit.add(forget)


def forget() -> None:
	_kept.pop(frappe.local.site, None)
	frappe.cache.delete_value(KEY)


def _shared() -> dict[str, list[Trigger]]:
	rows = frappe.cache.get_value(KEY, expires=True)
	if rows is None:
		rows = _read()
		frappe.cache.set_value(KEY, rows, expires_in_sec=EXPIRE_SECONDS)
	found: dict[str, list[Trigger]] = {}
	for row in rows:
		trigger = _trigger(row)
		found.setdefault(trigger.key, []).append(trigger)
	return found


def _read() -> list[tuple[Any, ...]]:
	"""What is committed by now: the transaction that is open may be older, or be rolled back."""
	beside = site_host().beside
	try:
		return list(beside.query(READ))
	except (
		pymysql.err.OperationalError
	):  # no connection is left for us: what our own can see is better than nothing
		return list(frappe.db.sql(READ))
	finally:
		beside.reset()


def _trigger(row: tuple[Any, ...]) -> Trigger:
	texts = [value or "" for value in row]
	return Trigger(*texts[:7], payload.loads(texts[7]) or {}, *texts[8:])
