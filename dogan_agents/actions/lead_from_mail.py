import frappe
from erpnext.crm.doctype.lead.lead import make_lead_from_communication
from frappe.email.inbox import link_communication_to_document
from frappe.model.document import Document
from frappe.utils import validate_email_address
from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action
from dogan_agents.host.lock import hold


class LeadFromMailInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	communication: str = Field(description="Name of the incoming message's Communication")


class LeadFromMailOutput(BaseModel):
	lead: str | None
	made: bool = False  # False: there was a lead with this address
	reason: str | None = None  # why there is no lead


@action(title="Lead from mail")
def lead_from_mail(context: Context, input: LeadFromMailInput) -> LeadFromMailOutput:
	"""Make a Lead of a message's sender, or find the one with that address, and link the message to it.

	Two messages of one sender that are worked on at once still make one Lead.
	"""
	message = frappe.get_doc("Communication", input.communication)
	message.check_permission("read")
	address = (message.sender or "").strip().lower()
	if not address:
		return LeadFromMailOutput(lead=None, reason="The message names no sender.")
	if not validate_email_address(address):
		return LeadFromMailOutput(lead=None, reason=f"The sender {address} is no mail address.")
	hold(f"lead:{address}")
	lead = frappe.db.get_value("Lead", {"email_id": address}, order_by="creation, name")
	if lead:
		frappe.has_permission("Lead", "read", throw=True)
		_link(message, lead)
		return LeadFromMailOutput(lead=lead)
	frappe.has_permission("Lead", "create", throw=True)
	return LeadFromMailOutput(lead=_make(message), made=True)


def _make(message: Document) -> str:
	if message.sender_full_name and not message.sender_full_name.strip():
		message.db_set("sender_full_name", None, update_modified=False)
	lead: str = make_lead_from_communication(message.name, ignore_communication_links=True)
	_link(message, lead)
	return lead


def _link(message: Document, lead: str) -> None:
	"""A message that is about another document stays there, and appears on the lead's timeline as well."""
	message.flags.in_receive = True  # its recipients are what the sender wrote, valid or not
	if not (message.reference_doctype and message.reference_name):
		link_communication_to_document(message, "Lead", lead, ignore_communication_links=False)
	elif ("Lead", lead) not in _linked(message):
		message.add_link("Lead", lead, autosave=True)


def _linked(message: Document) -> set[tuple[str, str]]:
	links = {(row.link_doctype, row.link_name) for row in message.timeline_links}
	return links | {(message.reference_doctype, message.reference_name)}
