from collections.abc import Mapping
from typing import Any, Literal

import frappe
from frappe import _
from frappe.model.document import Document
from frappe.utils import md_to_html, sanitize_html, split_emails, validate_email_address
from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import InputError, ParkError
from dogan_agents.mail.automatic import looks_automatic


class SendMailInput(BaseModel):
	model_config = ConfigDict(extra="forbid")

	recipients: list[str] | str = Field(
		default_factory=list, description="Addresses; without any, the sender of the message that is answered"
	)
	cc: list[str] | str = Field(default_factory=list)
	subject: str = Field("", description="Without one, Re: and that of the message that is answered")
	message: str
	format: Literal["Markdown", "HTML"] = "Markdown"
	communication: str | None = Field(None, description="The incoming message that this one answers")
	reference_doctype: str | None = Field(
		None, description="The document on whose timeline it appears; else that of the message"
	)
	reference_name: str | int | None = None
	print_format: str | None = Field(
		None, description="Attach a print of the reference document in this format (Standard is one)"
	)


class SendMailOutput(BaseModel):
	email_queue: str | None
	communication: str | None = None  # the sent message, on the reference document's timeline
	reason: str | None = None  # why nothing is sent


@action(title="Send mail")
def send_mail(context: Context, input: SendMailInput) -> SendMailOutput:
	"""Queue a mail in the step's own transaction; Frappe sends it after that.

	Name the incoming message in `communication` to answer it. What no person wrote is never answered.
	"""
	answered = _answered(input)
	reason = answered and _why_not(context, answered)
	if reason:
		return SendMailOutput(email_queue=None, reason=reason)
	reference = _reference(input, answered)
	queued = _queue(input, answered, reference)
	if not queued:
		return SendMailOutput(email_queue=None, reason="Every recipient has unsubscribed.")
	_mark(queued, "auto-replied" if answered else "auto-generated")
	sent = _record(queued, input, answered, reference) if reference else None
	return SendMailOutput(email_queue=queued.name, communication=sent)


def _answered(input: SendMailInput) -> Document | None:
	if not input.communication:
		return None
	message = frappe.get_doc("Communication", input.communication)
	message.check_permission("read")
	return message


def _why_not(context: Context, message: Document) -> str | None:
	"""The reason not to answer a message, if there is one (RFC 3834)."""
	data = context.run["input"]
	if (isinstance(data, Mapping) and data.get("automatic")) or looks_automatic(
		message.sender, message.subject
	):
		return "The message was sent by a machine; those are not answered."
	if not validate_email_address(message.sender or ""):
		return f"The message's sender ({message.sender or 'none'}) is no mail address."
	if frappe.db.exists("Email Account", {"email_id": message.sender}):
		return f"The message comes from {message.sender}, an account of our own."
	return None


def _reference(input: SendMailInput, answered: Document | None) -> tuple[str, str | int] | None:
	"""The document the mail is about, which the step's user may send mail about."""
	doctype, name = input.reference_doctype, input.reference_name
	if not doctype and answered:
		doctype, name = answered.reference_doctype, answered.reference_name
	if not (doctype and name):
		if input.print_format:
			raise InputError(
				"print_format: name the document to print in reference_doctype and reference_name."
			)
		return None
	doc = frappe.get_doc(doctype, name)
	doc.check_permission("email")
	if input.print_format:
		doc.check_permission("print")
	return doctype, name


def _queue(
	input: SendMailInput, answered: Document | None, reference: tuple[str, str | int] | None
) -> Document | None:
	doctype, name = reference or (None, None)
	try:
		return frappe.sendmail(  # type: ignore[no-any-return]
			recipients=_recipients(input, answered),
			cc=_addresses(input.cc),
			subject=_subject(input, answered),
			message=_html(input),
			reference_doctype=doctype,
			reference_name=name,
			in_reply_to=f"<{answered.message_id}>" if answered and answered.message_id else None,
			attachments=_attachments(input, reference),
			expose_recipients="header",
			delayed=True,
		)
	except frappe.OutgoingEmailError as error:
		raise ParkError(f"{error} Then retry the run.") from error


def _recipients(input: SendMailInput, answered: Document | None) -> list[str]:
	recipients = _addresses(input.recipients)
	if not recipients and answered:
		recipients = [answered.sender]
	if not recipients:
		raise InputError("recipients: nobody is named.")
	return recipients


def _addresses(given: list[str] | str) -> list[str]:
	addresses = split_emails(given) if isinstance(given, str) else [address for address in given if address]
	for address in addresses:
		validate_email_address(address, throw=True)
	return addresses


def _subject(input: SendMailInput, answered: Document | None) -> str:
	subject = input.subject or (_("Re: {0}").format(answered.subject) if answered else "")
	if not subject:
		raise InputError("subject: a mail needs one.")
	return " ".join(subject.split())


def _html(input: SendMailInput) -> str:
	"""The message may hold what a stranger wrote, so nothing that acts gets through."""
	html = md_to_html(input.message) if input.format == "Markdown" else input.message
	return sanitize_html(html, always_sanitize=True)  # type: ignore[no-any-return]


def _attachments(input: SendMailInput, reference: tuple[str, str | int] | None) -> list[dict[str, Any]]:
	"""The print is made when the mail is sent, and not while a transaction is open."""
	if not (input.print_format and reference):
		return []
	doctype, name = reference
	return [
		{
			"print_format_attachment": 1,
			"doctype": doctype,
			"name": name,
			"print_format": input.print_format,
			"lang": frappe.local.lang,
		}
	]


def _mark(queued: Document, how: str) -> None:
	"""Tell other machines that a machine wrote this, so that they do not answer it."""
	header = f"Auto-Submitted: {how}\nX-Auto-Response-Suppress: All\n"
	queued.db_set("message", header + queued.message, update_modified=False)


def _record(
	queued: Document, input: SendMailInput, answered: Document | None, reference: tuple[str, str | int]
) -> str:
	"""The sent message on the document's timeline, as Frappe records one that a person sends."""
	sent = frappe.get_doc(
		doctype="Communication",
		communication_type="Communication",
		communication_medium="Email",
		sent_or_received="Sent",
		sender=queued.sender,
		recipients=", ".join(_recipients(input, answered)),
		cc=", ".join(_addresses(input.cc)) or None,
		subject=_subject(input, answered),
		content=_html(input),
		message_id=queued.message_id,
		in_reply_to=answered.name if answered else None,
		reference_doctype=reference[0],
		reference_name=reference[1],
		email_account=queued.email_account,
	)
	sent.flags.skip_add_signature = True
	sent.insert(ignore_permissions=True)  # the user may mail about the document: that was checked
	queued.db_set("communication", sent.name, update_modified=False)
	name: str = sent.name
	return name
