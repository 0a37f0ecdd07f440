import json

import pymysql
import pytest

from dogan_agents.engine.indexes import INDEXES, UNIQUE
from dogan_agents.lab.doctypes import FOLDER, DocType
from dogan_agents.lab.schema import FEW, create_schema, reset

FILES = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*/*.json"))]
TABLES = [doctype for doctype in FILES if not (doctype.get("issingle") or doctype.get("is_virtual"))]
STANDARD = {"name", "creation", "modified", "modified_by", "owner", "docstatus", "idx"}
COLUMN_TYPES = {
	"Check": "int(1)",
	"Int": "int(11)",
	**dict.fromkeys(("Currency", "Float", "Percent"), "decimal(21,9)"),
	"Datetime": "datetime(6)",
	"Small Text": "text",
	"Long Text": "longtext",
	"Code": "longtext",
	"JSON": "longtext",
}
WITHOUT_COLUMN = {"Section Break", "Column Break", "Tab Break", "Table", "HTML", "Button"}


def rows(connection: pymysql.Connection, query: str, *values: object) -> tuple:
	with connection.cursor() as cursor:
		cursor.execute(query, values)
		return cursor.fetchall()


def columns(connection: pymysql.Connection, table: str) -> dict[str, tuple[str, str]]:
	found = rows(
		connection,
		"select column_name, column_type, is_nullable from information_schema.columns"
		" where table_schema = database() and table_name = %s",
		table,
	)
	return {name: (kind, nullable) for name, kind, nullable in found}


def expected(field: dict) -> tuple[str, str]:
	kind, length = field["fieldtype"], int(field.get("length") or 0)
	if kind == "Int" and length > 11:
		return "bigint(20)", "NO"
	nullable = "NO" if kind in ("Check", "Currency", "Float", "Int", "Percent") else "YES"
	return COLUMN_TYPES.get(kind, f"varchar({length or 140})"), nullable


def indexes(connection: pymysql.Connection, table: str) -> set[tuple[bool, str]]:
	found = rows(
		connection,
		"select not max(non_unique), group_concat(column_name order by seq_in_index)"
		" from information_schema.statistics"
		" where table_schema = database() and table_name = %s group by index_name",
		table,
	)
	return {(bool(unique), names) for unique, names in found}


@pytest.mark.parametrize("doctype", TABLES, ids=lambda doctype: doctype["name"])
def test_columns_agree_with_the_doctype(connection, doctype):
	found = columns(connection, f"tab{doctype['name']}")
	fields = [field for field in doctype["fields"] if field["fieldtype"] not in WITHOUT_COLUMN]
	assert {field["fieldname"]: expected(field) for field in fields}.items() <= found.items()
	assert STANDARD <= found.keys()
	assert ("parent" in found) == bool(doctype.get("istable"))


@pytest.mark.parametrize("doctype", INDEXES)
def test_the_engine_has_its_indexes(connection, doctype):
	found = indexes(connection, f"tab{doctype}")
	assert {(False, ",".join(names)) for names in INDEXES[doctype]} <= found
	assert {(True, ",".join(names)) for names in UNIQUE.get(doctype, [])} <= found


def test_no_index_is_there_twice(connection):
	for doctype in TABLES:
		found = [names for _, names in indexes(connection, f"tab{doctype['name']}")]
		assert len(found) == len(set(found))


def test_a_single_has_its_defaults(connection):
	found = rows(connection, "select field, value from tabSingles where doctype = 'Dogan Settings'")
	assert ("max_agents", "20") in found


@pytest.mark.parametrize("count", [1, FEW + 1])
def test_reset_empties_tables_with_few_rows_and_with_many(connection, count):
	with connection.cursor() as cursor:
		values = [(f"t{number}",) for number in range(count)]
		cursor.executemany("insert into lab_effect (task, step, token) values (%s, 's', 1)", values)
		cursor.execute("update tabSingles set value = '0'")
	connection.commit()
	reset(connection)
	assert rows(connection, "select count(*) from lab_effect") == ((0,),)
	test_a_single_has_its_defaults(connection)


def test_a_lead_is_one_whatever_the_case_of_its_address(connection):
	with connection.cursor() as cursor:
		cursor.execute("insert into lab_lead (email) values ('ada@example.com')")
		with pytest.raises(pymysql.IntegrityError):
			cursor.execute("insert into lab_lead (email) values ('Ada@Example.com')")


def test_the_schema_is_made_once(connection):
	with pytest.raises(pymysql.OperationalError, match="already exists"):
		create_schema(connection)


@pytest.mark.parametrize(
	("field", "definition"),
	[
		({"fieldtype": "Data"}, "`f` varchar(140)"),
		({"fieldtype": "Data", "length": 60, "unique": 1}, "`f` varchar(60) unique"),
		({"fieldtype": "Select", "default": "Ready"}, "`f` varchar(140) default 'Ready'"),
		({"fieldtype": "Int", "default": "3"}, "`f` int(11) not null default 3"),
		({"fieldtype": "Int", "length": 20}, "`f` bigint(20) not null default 0"),
		({"fieldtype": "Long Int"}, "`f` bigint(20)"),
		({"fieldtype": "Check"}, "`f` int(1) not null default 0"),
		({"fieldtype": "JSON"}, "`f` json"),
	],
)
def test_definitions_are_those_of_frappe(field, definition):
	doctype = DocType.from_json({"name": "D", "fields": [{"fieldname": "f", **field}]})
	assert [column.definition for column in doctype.columns] == [definition]
