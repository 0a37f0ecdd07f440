"""Are the tables and indexes there, and does the database's clock go as ours?"""

import time
from collections.abc import Iterator

import frappe

from dogan_agents.doctor.finding import Finding, fail, ok, warn
from dogan_agents.engine.indexes import INDEXES, UNIQUE
from dogan_agents.engine.sql import NOW

MODULE = "Dogan Agents"
FIRST_WITH_SKIP_LOCKED = (10, 6)
CLOCK_WARN, CLOCK_FAIL = 2.0, 10.0  # seconds


def server() -> Iterator[Finding]:
	version = frappe.db.sql("SELECT VERSION()")[0][0]
	numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
	if numbers < FIRST_WITH_SKIP_LOCKED:
		yield fail("database", f"MariaDB {version} has no SKIP LOCKED.", "Upgrade MariaDB to 10.6 or later.")
	else:
		yield ok("database", f"MariaDB {version}")


def schema() -> Iterator[Finding]:
	missing = [*_missing_tables()] or [*_missing_columns(), *_missing_indexes()]
	if missing:
		yield fail(
			"schema", f"Missing: {', '.join(missing)}.", f"Run: bench --site {frappe.local.site} migrate"
		)
	else:
		yield ok("schema", "Tables, columns and indexes are there.")


def clock() -> Iterator[Finding]:
	began = time.time()
	theirs = frappe.db.sql(f"SELECT {NOW}")[0][0] / 1e6
	difference = abs(theirs - (began + time.time()) / 2)
	text = f"The database's clock and this machine's differ by {difference:.2f} s."
	remedy = "Let both follow a time server: timedatectl set-ntp true"
	if difference > CLOCK_FAIL:
		yield fail("clock", text, remedy)
	elif difference > CLOCK_WARN:
		yield warn("clock", text, remedy)
	else:
		yield ok("clock", text)


def _doctypes() -> list[str]:
	return frappe.get_all(
		"DocType", {"module": MODULE, "issingle": 0, "is_virtual": 0}, pluck="name", order_by="name"
	)


def _missing_tables() -> Iterator[str]:
	wanted = {*_doctypes(), *INDEXES}
	yield from sorted(f"table {name}" for name in wanted if not frappe.db.table_exists(name, cached=False))


def _missing_columns() -> Iterator[str]:
	for doctype in _doctypes():
		there = set(frappe.db.get_table_columns(doctype))
		for column in frappe.get_meta(doctype).get_valid_columns():
			if column not in there:
				yield f"{doctype}.{column}"


def _missing_indexes() -> Iterator[str]:
	for wanted, unique in ((INDEXES, False), (UNIQUE, True)):
		for doctype, indexes in wanted.items():
			there = _indexes(doctype, unique)
			for columns in indexes:
				if columns not in there:
					yield f"index of {doctype} on {', '.join(columns)}"


def _indexes(doctype: str, unique: bool) -> set[tuple[str, ...]]:
	found: dict[str, list[str]] = {}
	for row in frappe.db.sql(f"SHOW INDEX FROM `tab{doctype}`", as_dict=True):
		if not (unique and row.Non_unique):
			found.setdefault(row.Key_name, []).append(row.Column_name)
	return {tuple(columns) for columns in found.values()}
