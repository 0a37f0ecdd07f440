"""The lab's tables: one for each DocType, with the engine's indexes, and those that show effects."""

import pymysql
from pymysql.cursors import Cursor

from dogan_agents.engine.indexes import INDEXES, UNIQUE

from . import effects
from .doctypes import OPTIONAL, VARCHAR_LENGTH, DocType, load_doctypes

OPTIONS = "engine=InnoDB row_format=DYNAMIC character set=utf8mb4 collate=utf8mb4_unicode_ci"
STANDARD = (
	f"name varchar({VARCHAR_LENGTH}) primary key",
	"creation datetime(6)",
	"modified datetime(6)",
	f"modified_by varchar({VARCHAR_LENGTH})",
	f"owner varchar({VARCHAR_LENGTH})",
	"docstatus int(1) not null default 0",
	"idx int(8) not null default 0",
)
CHILD = tuple(f"{column} varchar({VARCHAR_LENGTH})" for column in ("parent", "parentfield", "parenttype"))
SINGLES = (
	"doctype varchar(255)",
	"field varchar(255)",
	"value longtext",
	"index singles_doctype_field_index (doctype, field)",
)
FEW = 1000  # rows that are quicker deleted than truncated


def create_schema(connection: pymysql.Connection) -> None:
	with connection.cursor() as cursor:
		for table, lines in _tables().items():
			cursor.execute(f"create table `{table}` ({', '.join(lines)}) {OPTIONS}")
	_fill_singles(connection)


def reset(connection: pymysql.Connection) -> None:
	"""Empty every table; settings are as after an installation."""
	connection.rollback()
	with connection.cursor() as cursor:
		for table, rows in _used_tables(cursor).items():
			cursor.execute(f"delete from `{table}`" if rows <= FEW else f"truncate table `{table}`")
	_fill_singles(connection)


def _tables() -> dict[str, tuple[str, ...]]:
	doctypes = {doctype.table: _lines(doctype) for doctype in load_doctypes() if doctype.has_table}
	shown = {table: (columns,) for table, columns in effects.TABLES.items()}
	return {**doctypes, "tabSingles": SINGLES, **shown}


def _lines(doctype: DocType) -> tuple[str, ...]:
	own = tuple(field.definition for field in doctype.columns)
	rest = CHILD if doctype.is_child else tuple(f"{column} text" for column in OPTIONAL)
	return STANDARD + own + rest + _indexes(doctype) + _unique(doctype)


def _indexes(doctype: DocType) -> tuple[str, ...]:
	first = [("parent",)] if doctype.is_child else [("modified",), ("creation",)]
	marked = [(field.name,) for field in doctype.columns if field.indexed and not field.unique]
	every = dict.fromkeys([*first, *marked, *INDEXES.get(doctype.name, [])])
	return tuple(f"index {'_'.join(columns)}_index ({', '.join(columns)})" for columns in every)


def _unique(doctype: DocType) -> tuple[str, ...]:
	already = {(field.name,) for field in doctype.columns if field.unique}
	wanted = [columns for columns in UNIQUE.get(doctype.name, []) if columns not in already]
	return tuple(f"unique unique_{'_'.join(columns)} (`{'`, `'.join(columns)}`)" for columns in wanted)


def _used_tables(cursor: Cursor) -> dict[str, int]:
	"""The tables with rows, and how many, counted as far as it matters."""
	probes = [f"select '{t}', count(*) from (select 1 from `{t}` limit {FEW + 1}) some" for t in _tables()]
	cursor.execute(" union all ".join(probes))
	return {table: rows for table, rows in cursor.fetchall() if rows}


def _fill_singles(connection: pymysql.Connection) -> None:
	rows = [
		(doctype.name, field.name, field.default)
		for doctype in load_doctypes()
		if doctype.is_single
		for field in doctype.columns
	]
	with connection.cursor() as cursor:
		cursor.executemany("insert into tabSingles (doctype, field, value) values (%s, %s, %s)", rows)
	connection.commit()
