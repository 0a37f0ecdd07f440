"""The engine's errors as Frappe's, with the HTTP status that fits."""

from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe.utils import escape_html

from dogan_agents.engine import errors

FRAPPE: tuple[tuple[type[errors.DoganError], type[Exception]], ...] = (
	(errors.NotFound, frappe.DoesNotExistError),
	(errors.NotPermitted, frappe.PermissionError),
	(errors.DoganError, frappe.ValidationError),
)


@contextmanager
def as_frappe_errors() -> Iterator[None]:
	try:
		yield
	except errors.DoganError as error:
		kind = next(kind for own, kind in FRAPPE if isinstance(error, own))
		frappe.throw(escape_html(str(error)), kind)
