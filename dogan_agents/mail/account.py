"""An Email Account that one broken message cannot stop."""

import hashlib
from collections.abc import Iterator
from typing import Any

import frappe
from frappe import _
from frappe.email.doctype.email_account.email_account import EmailAccount
from frappe.email.receive import InboundMail
from frappe.model.document import Document

from dogan_agents.mail.automatic import MARK, says_automatic

TRIES = 3  # of a message whose transaction a deadlock has rolled back


class DoganInboundMail(InboundMail):
	"""Tells the mail triggers what the header says, and does not lose a message to a deadlock."""

	def __init__(self, content: bytes | str, *arguments: Any):
		super().__init__(content, *arguments)
		self.message_id = self.message_id or made_up_id(content)

	def as_dict(self) -> dict[str, Any]:
		return {**super().as_dict(), MARK: says_automatic(self.mail)}

	def process(self) -> Document:
		for _attempt in range(TRIES - 1):
			try:
				return super().process()
			except frappe.QueryDeadlockError:
				frappe.db.rollback()  # each message has a transaction of its own
		return super().process()


def made_up_id(content: bytes | str) -> str:
	"""A message without an identity of its own is known again by its text, when a server offers it twice."""
	raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
	return f"{hashlib.sha256(raw).hexdigest()[:32]}@missing.invalid"


class DoganEmailAccount(EmailAccount):
	"""Frappe marks messages as seen before it reads them: if one cannot be read at all, the rest of the pull is lost.
	Here such a message becomes an Unhandled Email, and the others go on.
	"""

	def receive(self) -> None:
		"""Frappe ends by raising a summary of what it could not process. By then each of those has its Error Log and
		its Unhandled Email, and a job that fails for it helps nobody.
		"""
		try:
			super().receive()
		except Exception as error:
			if type(error) is not Exception:
				raise
			frappe.logger("dogan_agents").info(f"{self.name}: some messages became an Unhandled Email")

	def get_inbound_mails(self) -> list[InboundMail]:
		if not self.enable_incoming:
			return []
		try:
			return [mail for fetched in self._fetch() for mail in self._read(*fetched)]
		except Exception:
			self.log_error(title=_("Error while connecting to email account {0}").format(self.name))
			return []

	def handle_bad_emails(self, uid: str, raw: bytes | str, reason: str) -> None:
		text = raw.decode("ASCII", "replace") if isinstance(raw, bytes) else raw
		known = frappe.get_all(
			"Unhandled Email", {"email_account": self.name, "uid": uid}, pluck="raw", order_by=None
		)
		if text not in known:
			super().handle_bad_emails(uid, raw, reason)

	def _fetch(self) -> list[tuple[dict[str, Any], str | None]]:
		"""What the server has for us, and where a folder's messages are to be appended."""
		server = self.get_incoming_server(in_receive=True, email_sync_rule=self.build_email_sync_rule())
		if not self.use_imap:
			fetched = [(server.get_messages() or {}, None)]
		else:
			fetched = []
			for folder in self.imap_folder:
				if server.select_imap_folder(folder.folder_name):
					server.settings["uid_validity"] = folder.uidvalidity
					messages = server.get_messages(folder=f'"{folder.folder_name}"') or {}
					fetched.append((messages, folder.append_to))
		server.logout()
		return fetched

	def _read(self, messages: dict[str, Any], append_to: str | None) -> Iterator[InboundMail]:
		uids = messages.get("uid_list") or []
		seen_by_uid = messages.get("seen_status") or {}
		for index, raw in enumerate(messages.get("latest_messages") or []):
			uid = uids[index] if uids else None
			seen = seen_by_uid.get(uid)
			if self.email_sync_option == "UNSEEN" and seen == "SEEN":
				continue
			try:
				yield DoganInboundMail(raw, self, frappe.safe_decode(uid), seen, append_to)
			except Exception:
				self.handle_bad_emails(frappe.safe_decode(uid), raw, frappe.get_traceback())
