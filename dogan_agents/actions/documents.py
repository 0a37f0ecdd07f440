from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import frappe
from frappe.model import default_fields
from frappe.model.document import Document
from frappe.utils import get_datetime
from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import InputError, ParkError, PermanentError

KEPT_BY_FRAPPE = frozenset(default_fields) - {"docstatus", "name"}


class DocumentInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	doctype: str
	values: dict[str, Any] = Field(
		default_factory=dict, description="Fields and their values; tables as lists of such objects"
	)


class CreateDocumentInput(DocumentInput):
	pass


class UpdateDocumentInput(DocumentInput):
	name: str | int
	modified: datetime | None = Field(
		None, description="When the document was last changed as far as the workflow knows"
	)
	on_conflict: Literal["Retry", "Fail", "Park"] = Field(
		"Retry",
		description="When it was changed since: apply the values to the fresh document, fail, or wait for a person",
	)


class DocumentOutput(BaseModel):
	doctype: str
	name: str | int
	modified: str


@action(title="Create document")
def create_document(context: Context, input: CreateDocumentInput) -> DocumentOutput:
	"""Create a document with the permissions of the step's user."""
	doc = frappe.new_doc(input.doctype)
	name = input.values.get("name")
	_apply(doc, {field: value for field, value in input.values.items() if field != "name"})
	doc.insert(set_name=name)
	return _output(doc)


@action(title="Update document")
def update_document(context: Context, input: UpdateDocumentInput) -> DocumentOutput:
	"""Change a document with the permissions of the step's user.

	Give `modified` to notice that somebody else has changed it since the workflow looked at it.
	"""
	doc = frappe.get_doc(input.doctype, input.name, for_update=True)
	if input.modified and get_datetime(doc.modified) != input.modified.replace(tzinfo=None):
		_conflict(input, doc)
	_apply(doc, input.values)
	try:
		doc.save()
	except frappe.TimestampMismatchError:
		_conflict(input, doc)
		raise
	return _output(doc)


def _conflict(input: UpdateDocumentInput, doc: Document) -> None:
	"""Stop here unless the policy is to go on with the fresh document."""
	reason = f"{doc.doctype} {doc.name} was changed by {doc.modified_by} at {doc.modified}, since the workflow read it."
	if input.on_conflict == "Fail":
		raise PermanentError(reason)
	if input.on_conflict == "Park":
		raise ParkError(f"{reason} Look at it, then retry the run or cancel it.")


def _apply(doc: Document, values: Mapping[str, Any]) -> None:
	_check_fields(doc.doctype, values)
	for table in doc.meta.get_table_fields():
		for row in values.get(table.fieldname) or ():
			_check_fields(table.options, row)
	doc.update(values)


def _check_fields(doctype: str, values: Mapping[str, Any]) -> None:
	"""Frappe drops what it does not know without a word; a workflow's author wants to hear of it."""
	meta = frappe.get_meta(doctype)
	for field in values:
		if field in KEPT_BY_FRAPPE:
			raise InputError(f"{doctype}: {field} is kept by the system and cannot be set.")
		if field not in ("name", "docstatus") and not meta.has_field(field):
			raise InputError(f"{doctype} has no field {field}.")


def _output(doc: Document) -> DocumentOutput:
	return DocumentOutput(doctype=doc.doctype, name=doc.name, modified=str(doc.modified))
