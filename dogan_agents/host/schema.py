"""The engine's indexes on a site's tables."""

import frappe

from dogan_agents.engine.indexes import INDEXES, UNIQUE


def apply_indexes(doctype: str) -> None:
	"""Add the indexes of `doctype` that are not there yet; `creation` is what its list is sorted by."""
	for columns in dict.fromkeys([("creation",), *INDEXES.get(doctype, [])]):
		_add_index(doctype, columns)
	for columns in UNIQUE.get(doctype, []):
		if not _is_unique(doctype, columns):
			frappe.db.add_unique(doctype, list(columns))


def _add_index(doctype: str, columns: tuple[str, ...]) -> None:
	table = f"tab{doctype}"
	if len(columns) == 1 and frappe.db.get_column_index(table, columns[0]):
		return
	frappe.db.add_index(doctype, list(columns), index_name="_".join(columns) + "_index")


def _is_unique(doctype: str, columns: tuple[str, ...]) -> bool:
	"""Whether the DocType itself already makes the column unique."""
	return len(columns) == 1 and bool(frappe.db.get_column_index(f"tab{doctype}", columns[0], unique=True))
