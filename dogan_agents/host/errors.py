"""From Frappe's and ERPNext's exceptions to the kinds that the retry policy knows, and to what a person reads."""

import re

import frappe
from frappe.utils import strip_html
from rq.timeouts import JobTimeoutException

from dogan_agents.engine import classify as engine
from dogan_agents.engine.errors import DoganError, Signal
from dogan_agents.engine.ports import ErrorKind

LONGEST = 10_000  # characters of an error that are kept
SECRET = re.compile(
	r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key|authorization)[\"']?\s*[=:]\s*)(?:(?:bearer|basic|token)\s+)?"
	r"(\"[^\"]*\"|'[^']*'|[^\s,;&]+)"
)
CLOSED = frozenset({"ClosedAccountingPeriod", "StockFreezeError", "PeriodClosedError"})
FRAPPE: tuple[tuple[type[BaseException], ErrorKind], ...] = (
	(JobTimeoutException, ErrorKind.CONNECTION),
	(frappe.QueryDeadlockError, ErrorKind.DEADLOCK),
	(frappe.QueryTimeoutError, ErrorKind.LOCK_WAIT),
	(frappe.TimestampMismatchError, ErrorKind.CONFLICT),
	(frappe.DocumentLockedError, ErrorKind.LOCK_WAIT),
	(frappe.MandatoryError, ErrorKind.MANDATORY),
	(frappe.PermissionError, ErrorKind.PERMISSION),
	(frappe.DuplicateEntryError, ErrorKind.NAMING),
	(frappe.DoesNotExistError, ErrorKind.NOT_FOUND),
	(frappe.LinkValidationError, ErrorKind.NOT_FOUND),
	(frappe.ValidationError, ErrorKind.VALIDATION),
	(frappe.NameError, ErrorKind.NAMING),
)
QUIET = (DoganError, Signal, frappe.ValidationError, frappe.PermissionError, frappe.NameError)
"""Errors that say what is wrong by themselves; others are shown with where they happened."""


def classify(error: BaseException) -> ErrorKind:
	if any(base.__name__ in CLOSED for base in type(error).__mro__):
		return ErrorKind.CLOSED_PERIOD
	for known, kind in FRAPPE:
		if isinstance(error, known):
			return kind
	return engine.classify(error)


def explain(error: BaseException) -> None:
	"""Frappe often raises without a word, and leaves the reason in its message log, which is soon forgotten."""
	log = frappe.get_message_log()
	if log and not str(error):
		error.args = (log[-1].get("message") or "",)


def message(error: BaseException) -> str:
	text = strip_html(str(error)).strip() or type(error).__name__
	if not isinstance(error, QUIET):
		text = f"{type(error).__name__}: {text}\n\n{frappe.get_traceback()}"
	return mask(text)[:LONGEST]


def mask(text: str) -> str:
	"""The text with what looks like a secret replaced."""
	return SECRET.sub(r"\1***", text)
