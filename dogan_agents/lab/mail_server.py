"""A real IMAP and SMTP server on loopback, with one mailbox: mail-devel."""

import imaplib
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dogan_agents.lab.ports import free_port, is_listening
from dogan_agents.lab.process import Server

HOST = "127.0.0.1"


class MailServer:
	"""Up while this context is."""

	def __init__(self, address: str, scratch: Path):
		self.address, self.password = address, secrets.token_hex(16)
		self.imap_port, self.smtp_port = free_port(), free_port()
		command = [sys.executable, "-m", "mail_devel", "--host", HOST, "--no-http", "--user", address]
		command += ["--imap-port", str(self.imap_port), "--smtp-port", str(self.smtp_port)]
		command = ["env", f"MAIL_PASSWORD={self.password}", *command]
		self.server = Server("mail", command, scratch, self._is_ready)

	def __enter__(self) -> "MailServer":
		self.server.start()
		return self

	def __exit__(self, *exception: object) -> None:
		self.server.stop()

	def put(self, messages: Iterable[bytes]) -> None:
		"""Exactly as they are: a broken one arrives broken."""
		with self._connected() as imap:
			for message in messages:
				imap.append("INBOX", "", "", message)

	def mark_unread(self) -> None:
		"""Offer everything once more, as a mailbox does whose owner has looked through it."""
		with self._connected() as imap:
			imap.select("INBOX")
			imap.uid("STORE", "1:*", "-FLAGS", r"(\Seen)")

	@contextmanager
	def _connected(self) -> Iterator[imaplib.IMAP4]:
		with imaplib.IMAP4(HOST, self.imap_port) as imap:
			imap.login(self.address, self.password)
			yield imap

	def _is_ready(self) -> bool:
		return all(is_listening((HOST, port)) for port in (self.imap_port, self.smtp_port))
