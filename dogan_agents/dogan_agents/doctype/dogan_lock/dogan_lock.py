import re
from typing import Any

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import cint, compare
from frappe.utils.data import get_filter

from dogan_agents.cluster.lock import Held
from dogan_agents.host.frappe import site_host
from dogan_agents.host.guard import refuse_by_hand
from dogan_agents.host.locks import site_locks


class DoganLock(Document):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		expires: DF.Datetime | None
		held_since: DF.Datetime | None
		holder: DF.Data | None
		node: DF.Data | None
		token: DF.Int

	# end: auto-generated types
	def load_from_db(self):
		found = site_locks().find(str(self.name))
		if not found:
			frappe.throw(
				_("Nobody holds the lock {0} any more.").format(frappe.bold(self.name)),
				frappe.DoesNotExistError,
			)
		super(Document, self).__init__(_row(found))

	@staticmethod
	def get_list(args) -> list[Any]:
		field, backwards = _order(args.get("order_by"))
		rows = sorted(_rows(args), key=lambda row: row[field], reverse=backwards)
		start, length = cint(args.get("start") or args.get("limit_start")), cint(args.get("page_length"))
		page = rows[start : start + length] if length else rows[start:]
		if args.get("pluck"):
			return [row[args["pluck"]] for row in page]
		return [[row.name] for row in page] if args.get("as_list") else page

	@staticmethod
	def get_count(args) -> int:
		return len(_rows(args))

	@staticmethod
	def get_stats(args) -> dict[str, Any]:
		return {}

	def db_insert(self, *args, **kwargs):
		refuse_by_hand(self)

	def db_update(self, *args, **kwargs):
		refuse_by_hand(self)

	def delete(self, *args, **kwargs):
		refuse_by_hand(self)


def _rows(args) -> list[Any]:
	"""Frappe leaves the permissions of a virtual DocType's list to it."""
	frappe.has_permission("Dogan Lock", "read", throw=True)
	given = args.get("filters") or []
	filters = [
		get_filter("Dogan Lock", each)
		for each in ([{key: value} for key, value in given.items()] if isinstance(given, dict) else given)
	]
	return [row for row in map(_row, site_locks().held()) if all(_matches(row, each) for each in filters)]


def _row(held: Held) -> Any:
	local = site_host().local
	since = local(held.since)
	return frappe._dict(
		doctype="Dogan Lock",
		name=held.name,
		holder=held.holder,
		node=held.node,
		held_since=since,
		expires=local(held.expires),
		token=held.fence,
		creation=since,
		modified=since,
		owner="Administrator",
		modified_by="Administrator",
		docstatus=0,
	)


def _matches(row: Any, given: Any) -> bool:
	if given.operator in ("like", "not like"):
		found = str(given.value).strip("%").casefold() in str(row.get(given.fieldname)).casefold()
		return found == (given.operator == "like")
	return bool(compare(row.get(given.fieldname), given.operator, given.value, given.fieldtype))


def _order(given: str | None) -> tuple[str, bool]:
	"""The field of the first part of an ORDER BY, and whether it is descending."""
	match = re.match(r"(?:`?tab[^.`]+`?\.)?`?(\w+)`?(\s+desc)?", given or "", re.IGNORECASE)
	known = match and match[1] in ("name", "holder", "node", "held_since", "expires", "token", "modified")
	return (match[1], bool(match[2])) if match and known else ("name", False)
