"""The DocTypes as their JSON files tell them, and the columns Frappe 15 makes of them."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "dogan_agents" / "doctype"

TYPES = {
	"Currency": "decimal(21,9)",
	"Int": "int(11)",
	"Long Int": "bigint(20)",
	"Float": "decimal(21,9)",
	"Percent": "decimal(21,9)",
	"Check": "int(1)",
	"Date": "date",
	"Datetime": "datetime(6)",
	"Time": "time(6)",
	"Duration": "decimal(21,9)",
	"Rating": "decimal(3,2)",
	"JSON": "json",
	**dict.fromkeys(("Small Text", "Text", "Password", "Attach", "Attach Image"), "text"),
	**dict.fromkeys(("Long Text", "Code", "Text Editor", "Markdown Editor", "HTML Editor"), "longtext"),
	**dict.fromkeys(("Signature", "Barcode", "Geolocation"), "longtext"),
}
TEXTS = ("Data", "Link", "Dynamic Link", "Select", "Read Only", "Color", "Icon", "Phone", "Autocomplete")
NUMBERS = ("Check", "Int", "Currency", "Float", "Percent")
VARCHAR_LENGTH = 140
INT_LENGTH = 11
OPTIONAL = ("_user_tags", "_comments", "_assign", "_liked_by")


@dataclass(frozen=True)
class Field:
	name: str
	type: str
	length: int = 0
	default: str = ""
	unique: bool = False
	indexed: bool = False

	@classmethod
	def from_json(cls, field: dict) -> "Field":
		return cls(
			name=field["fieldname"],
			type=field["fieldtype"],
			length=int(field.get("length") or 0),
			default=str(field.get("default") or ""),
			unique=bool(field.get("unique")),
			indexed=bool(field.get("search_index")),
		)

	@property
	def column_type(self) -> str | None:
		"""None for what has no column: a table, a heading, a button."""
		if self.type in TEXTS:
			return f"varchar({self.length or VARCHAR_LENGTH})"
		if self.type == "Int" and self.length > INT_LENGTH:
			return TYPES["Long Int"]
		return TYPES.get(self.type)

	@property
	def definition(self) -> str:
		return f"`{self.name}` {self.column_type}{self._default}{' unique' * self.unique}"

	@property
	def _default(self) -> str:
		if self.type in NUMBERS:
			return f" not null default {self.default or 0}"
		return f" default '{self.default}'" if self.default else ""


@dataclass(frozen=True)
class DocType:
	name: str
	fields: tuple[Field, ...]
	is_child: bool
	is_single: bool
	is_virtual: bool

	@classmethod
	def from_json(cls, doctype: dict) -> "DocType":
		return cls(
			name=doctype["name"],
			fields=tuple(Field.from_json(field) for field in doctype["fields"]),
			is_child=bool(doctype.get("istable")),
			is_single=bool(doctype.get("issingle")),
			is_virtual=bool(doctype.get("is_virtual")),
		)

	@property
	def table(self) -> str:
		return f"tab{self.name}"

	@property
	def has_table(self) -> bool:
		return not (self.is_single or self.is_virtual)

	@cached_property
	def columns(self) -> tuple[Field, ...]:
		return tuple(field for field in self.fields if field.column_type)


def load_doctypes(folder: Path = FOLDER) -> list[DocType]:
	paths = (path for path in sorted(folder.glob("*/*.json")) if path.stem == path.parent.name)
	return [DocType.from_json(json.loads(path.read_text())) for path in paths]
