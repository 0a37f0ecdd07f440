"""A mailbox of real messages, and as many new ones made from them as wanted."""

import hashlib
import random
import re
from collections.abc import Iterator
from email.utils import formataddr
from pathlib import Path

from .message import Message, read_message

__all__ = ["Message", "make_messages", "read_message", "real_messages", "written_by"]

CORPUS = Path(__file__).parent / "corpus"
KNOWN_SENDERS = 0.35  # the share of messages whose sender has written before
PLAIN_ADDRESS = re.compile(r"[a-z0-9._+-]+@[a-z0-9.-]+")
END_OF_HEAD = re.compile(rb"(?<=\n)\r?\n")
SENDERS = (b"from", b"reply-to", b"sender", b"x-original-from")
NEXT_FIELD = re.compile(rb"(?<=\n)(?![ \t])")


def real_messages() -> Iterator[bytes]:
	for path in sorted(CORPUS.glob("*/*.eml")):
		yield path.read_bytes()


def make_messages(count: int, seed: int = 0) -> Iterator[bytes]:
	"""Messages made from the real ones: each with a Message-ID of its own, a third of them from known senders.

	The same seed makes the same messages. Addresses end in .example, so that an answer can reach nobody.
	"""
	choice = random.Random(seed)
	senders: list[str] = []
	for number, original in enumerate(_shuffled(count, choice)):
		if not senders or choice.random() > KNOWN_SENDERS:
			sender = _new_address(original, number)
			senders.append(sender)
		else:
			sender = choice.choice(senders)
		yield _rewrite(original, _message_id(original, seed, number), sender)


def written_by(raw: bytes, name: str, address: str) -> bytes:
	"""The message as if this person had written it: nobody else could be answered."""
	envelope, fields, newline, rest_of_it = _take_apart(raw)
	source = b"From: " + formataddr((name, address)).encode() + newline
	rest = [field for field in fields if _name(field) not in SENDERS]
	return b"".join([envelope, source, *rest, rest_of_it])


def _shuffled(count: int, choice: random.Random) -> Iterator[bytes]:
	"""All of the real messages in some order, then again in another, until there are enough."""
	pile: list[bytes] = []
	for _ in range(count):
		if not pile:
			pile = list(real_messages())
			choice.shuffle(pile)
		yield pile.pop()


def _new_address(original: bytes, number: int) -> str:
	address = read_message(original).sender_address
	local, domain = address.split("@") if PLAIN_ADDRESS.fullmatch(address) else ("someone", "mail")
	return f"{local}.{number}@{domain}.example"


def _message_id(original: bytes, seed: int, number: int) -> str:
	return f"<{seed}.{number}.{hashlib.sha256(original).hexdigest()[:16]}@lab.example>"


def _rewrite(original: bytes, message_id: str, sender: str) -> bytes:
	"""The message with another identity and sender; whatever else is broken in it stays so."""
	envelope, fields, newline, rest_of_it = _take_apart(original)
	identity = b"Message-ID: " + message_id.encode() + newline
	source = _from_field(fields, read_message(original).sender_address, sender).rstrip(b"\r\n") + newline
	rest = [field for field in fields if _name(field) not in (b"message-id", b"from")]
	return b"".join([envelope, identity, source, *rest, rest_of_it])


def _take_apart(raw: bytes) -> tuple[bytes, list[bytes], bytes, bytes]:
	"""The envelope's line, the fields of the head, how lines end in it, and all that follows."""
	head = END_OF_HEAD.split(raw, maxsplit=1)[0]
	fields = NEXT_FIELD.split(head)
	envelope = fields.pop(0) if fields[0].startswith(b"From ") else b""
	return envelope, fields, b"\r\n" if b"\r\n" in head else b"\n", raw[len(head) :]


def _from_field(fields: list[bytes], old: str, new: str) -> bytes:
	"""The message's own From with the address replaced, or a plain one where that cannot be done."""
	address = re.compile(re.escape(old.encode()), re.IGNORECASE)
	for field in fields:
		if _name(field) == b"from" and old and address.search(field):
			return address.sub(new.encode(), field)
	return b"From: " + new.encode()


def _name(field: bytes) -> bytes:
	return field.partition(b":")[0].strip().lower()
