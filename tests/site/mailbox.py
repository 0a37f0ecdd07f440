"""A real IMAP and SMTP server with one mailbox, and an Email Account of the site on it."""

import imaplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import frappe

ADDRESS = "sales@dogan.example"
PASSWORD = "correct horse"


class Mailbox:
	def __init__(self, imap_port: int, smtp_port: int):
		self.imap_port, self.smtp_port = imap_port, smtp_port

	def put(self, messages: Iterable[bytes]) -> None:
		"""Exactly as they are: a broken one must arrive broken."""
		with self._connect() as imap:
			for message in messages:
				answer = imap.append("INBOX", "", "", message)
				assert answer[0] == "OK", answer

	def messages(self) -> list[bytes]:
		with self._connect() as imap:
			imap.select("INBOX", readonly=True)
			uids = imap.uid("search", "ALL")[1][0].split()
			return [imap.uid("fetch", uid, "(BODY.PEEK[])")[1][0][1] for uid in uids]

	def mark_unread(self) -> None:
		with self._connect() as imap:
			imap.select("INBOX")
			imap.uid("store", "1:*", "-FLAGS", r"(\Seen)")

	def _connect(self) -> imaplib.IMAP4:
		imap = imaplib.IMAP4("127.0.0.1", self.imap_port)
		imap.login(ADDRESS, PASSWORD)
		return imap


@contextmanager
def serve() -> Iterator[Mailbox]:
	imap_port, smtp_port = _free_port(), _free_port()
	command = [sys.executable, "-m", "mail_devel", "--host", "127.0.0.1", "--no-http"]
	command += ["--imap-port", str(imap_port), "--smtp-port", str(smtp_port)]
	command += ["--user", ADDRESS, "--password", PASSWORD]
	server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
	try:
		for port in (imap_port, smtp_port):
			_wait_for(port)
		yield Mailbox(imap_port, smtp_port)
	finally:
		server.terminate()
		server.wait(20)


def make_account(mailbox: Mailbox, **values: Any) -> Any:
	"""An Email Account that receives by IMAP and sends by SMTP, both in plain text."""
	name = f"Test {frappe.generate_hash(length=8)}"
	account = frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_account_name": name,
			"email_id": f"{frappe.scrub(name)}@dogan.example",
			"login_id_is_different": 1,
			"login_id": ADDRESS,
			"password": PASSWORD,
			"enable_incoming": 1,
			"use_imap": 1,
			"email_server": "127.0.0.1",
			"incoming_port": mailbox.imap_port,
			"use_ssl": 0,
			"email_sync_option": "UNSEEN",
			"initial_sync_count": 250,
			"imap_folder": [{"folder_name": "INBOX"}],
			"enable_outgoing": 1,
			"smtp_server": "127.0.0.1",
			"smtp_port": mailbox.smtp_port,
			"use_tls": 0,
			"no_smtp_authentication": 1,
			**values,
		}
	).insert()
	frappe.db.commit()
	return account


def _free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
	end = time.monotonic() + 30
	while True:
		try:
			socket.create_connection(("127.0.0.1", port), 1).close()
			return
		except OSError:
			assert time.monotonic() < end, f"nobody listens on {port}"
			time.sleep(0.05)
