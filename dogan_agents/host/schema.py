"""The engine's indexes on a site's tables."""

import frappe

from dogan_agents.engine.indexes import INDEXES, UNIQUE


def apply_indexes(doctype: str) -> None:
	"""Add the indexes of `doctype` that are not there yet; `creation` is what its list is sorted by."""
	for columns in dict.fromkeys([("creation",), *INDEXES.get(doctype, [])]):
		_add_index(doctype, columns)
	for columns in UNIQUE.get(doctype, []):
		if columns not in _unique(doctype):
			_add_unique(doctype, columns)


def _add_index(doctype: str, columns: tuple[str, ...]) -> None:
	table = f"tab{doctype}"
	if len(columns) == 1 and frappe.db.get_column_index(table, columns[0]):
		return
	frappe.db.add_index(doctype, list(columns), index_name="_".join(columns) + "_index")


def _add_unique(doctype: str, columns: tuple[str, ...]) -> None:
	"""`frappe.db.add_unique` adds none where another site of the server has one of that name."""
	quoted = ", ".join(f"`{column}`" for column in columns)
	frappe.db.sql_ddl(f"ALTER TABLE `tab{doctype}` ADD UNIQUE `unique_{'_'.join(columns)}` ({quoted})")


def _unique(doctype: str) -> set[tuple[str, ...]]:
	"""What is unique already, by the DocType itself or by us."""
	found: dict[str, list[str]] = {}
	for row in frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}` WHERE Non_unique = 0", as_dict=True):
		found.setdefault(row.Key_name, []).append(row.Column_name)
	return {tuple(columns) for columns in found.values()}
