"""Reads any message, however broken: what cannot be read is left out, and nothing is raised."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message as Parsed
from email.utils import parseaddr
from html import unescape

SENDER_FIELDS = ("From", "Reply-To", "Sender", "Return-Path")
ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:@]+@[^\s<>()\[\]\"',;:@]+")
HIDDEN = re.compile(r"(?is)<!--.*?-->|<(style|script|title)\b.*?</\1\s*>")
LINE_END = re.compile(r"(?i)<(br|/?p|/?div|/tr|/li|/h\d)\b[^>]*>")
TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Message:
	message_id: str
	sender_name: str
	sender_address: str  # lower case; empty if the message names none
	subject: str
	text: str


def read_message(raw: bytes) -> Message:
	parsed = message_from_bytes(raw)
	name, address = _sender(parsed)
	return Message(
		message_id=_field(parsed, "Message-ID") or _made_up_id(raw),
		sender_name=name,
		sender_address=address,
		subject=_decode(_field(parsed, "Subject")),
		text=_text(parsed),
	)


def _made_up_id(raw: bytes) -> str:
	"""The same message read twice is still the same message."""
	return f"<{hashlib.sha256(raw).hexdigest()[:32]}@missing.invalid>"


def _sender(parsed: Parsed) -> tuple[str, str]:
	fields = [_field(parsed, name) for name in SENDER_FIELDS]
	for field in [*fields, parsed.get_unixfrom() or ""]:
		name, address = _name_and_address(field)
		if address:
			return _decode(name), _clean(address).lower()
	return _decode(fields[0]), ""


def _name_and_address(field: str) -> tuple[str, str]:
	name, address = parseaddr(field)
	if ADDRESS.fullmatch(address):
		return name, address
	found = ADDRESS.search(field)
	return (field[: found.start()].strip(' "<'), found.group()) if found else ("", "")


def _field(parsed: Parsed, name: str) -> str:
	"""The field's first value on one line, still encoded."""
	for key, value in parsed.raw_items():
		if key.strip().lower() == name.lower():
			return " ".join(_characters(str(value)).split())
	return ""


def _characters(value: str) -> str:
	"""Bytes beyond ASCII come from the parser as surrogates."""
	raw = value.encode("utf-8", "surrogateescape")
	try:
		return raw.decode()
	except UnicodeDecodeError:
		return raw.decode("latin-1")


def _decode(value: str) -> str:
	try:
		parts = decode_header(value)
	except (MessageError, ValueError):
		return _clean(value)
	return _clean("".join(_decode_bytes(*part) for part in parts)).strip()


def _decode_bytes(data: bytes | str, charset: str | None) -> str:
	if isinstance(data, str):
		return data
	try:
		return data.decode(charset or "utf-8", "replace")
	except (LookupError, ValueError):
		return data.decode("latin-1")


def _clean(text: str) -> str:
	"""Without what no database takes."""
	return text.encode("utf-8", "replace").decode().replace("\0", "")


def _text(parsed: Parsed) -> str:
	parts = list(_readable_parts(parsed))
	for part in parts:
		if part.get_content_type() != "text/html":
			return _content(part)
	return _without_tags(_content(parts[0])) if parts else ""


def _readable_parts(parsed: Parsed) -> Iterator[Parsed]:
	"""Text that is not an attachment; a multipart without parts is text whose boundary is broken."""
	for part in parsed.walk():
		readable = part.get_content_maintype() in ("text", "multipart") and not part.is_multipart()
		if readable and part.get_content_disposition() != "attachment":
			yield part


def _content(part: Parsed) -> str:
	data = part.get_payload(decode=True)
	text = _clean(_decode_bytes(data, part.get_content_charset())) if isinstance(data, bytes) else ""
	return text.replace("\r\n", "\n").strip()


def _without_tags(page: str) -> str:
	text = unescape(TAG.sub("", LINE_END.sub("\n", HIDDEN.sub("", page))))
	return "\n".join(line for line in map(str.strip, text.splitlines()) if line)
