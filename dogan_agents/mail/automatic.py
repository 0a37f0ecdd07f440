"""Mail that no person wrote: it is worked on like any other, but never answered by ourselves (RFC 3834)."""

import re
from email.message import Message

from frappe.model.document import Document

ROBOTS = re.compile(
	r"(?i)^(mailer-daemon|postmaster|no-?_?reply|do-?not-?reply|bounces?|noreply|daemon|auto-?reply)([-+.=_].*)?@"
)
SUBJECTS = re.compile(
	r"(?i)^\s*(auto(matic)?[ -]?(reply|response)|out of (the )?office|automatische antwort|abwesenheit"
	r"|delivery status notification|undeliver(able|ed)|returned mail|mail delivery (failed|failure|system))"
)
BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
MARK = "dogan_automatic"  # an attribute of the Communication while it is being inserted


def is_automatic(doc: Document) -> bool:
	"""By the message's own header where we have read it, and by sender and subject."""
	return bool(doc.get(MARK)) or looks_automatic(doc.sender, doc.subject)


def looks_automatic(sender: str | None, subject: str | None) -> bool:
	return bool(ROBOTS.match(sender or "") or SUBJECTS.match(subject or ""))


def says_automatic(message: Message) -> bool:
	"""What the header says about it."""
	submitted = str(message.get("Auto-Submitted") or "no").split(";")[0].strip().lower()
	return (
		submitted != "no"
		or str(message.get("Precedence") or "").strip().lower() in BULK
		or any(message.get(name) for name in ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Autorespond"))
		or str(message.get("Return-Path") or "").strip() == "<>"
		or message.get_content_type() == "multipart/report"
	)
