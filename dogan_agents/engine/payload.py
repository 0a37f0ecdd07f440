"""What steps pass on: JSON of at most 1 MB."""

import json
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from dogan_agents.engine.errors import PayloadError

MAX_BYTES = 1_000_000
SURROGATE = re.compile("[\ud800-\udfff]")


def dumps(value: Any, what: str) -> str:
	"""Compact JSON of `value`; PayloadError, naming `what`, when it is not JSON or larger than 1 MB."""
	text = encode(value, what)
	size = len(text) if text.isascii() else len(text.encode())
	if size > MAX_BYTES:
		raise PayloadError(
			f"{what} is {size / 1e6:.2f} MB; at most 1 MB is passed on. "
			"Save the data in a document or file and pass on its name."
		)
	return text


def encode(value: Any, what: str) -> str:
	"""Compact JSON of `value`, however long; PayloadError, naming `what`, when it is not JSON."""
	try:
		text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
	except (TypeError, ValueError, RecursionError) as error:
		raise PayloadError(f"{what} is not JSON: {error}.") from error
	return storable(text)


def storable(text: str) -> str:
	"""`text` without lone surrogates, such as broken mail leaves behind: neither UTF-8 nor JSON has them."""
	return text if text.isascii() else SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def loads(text: str | None) -> Any:
	return json.loads(text) if text else None


def _plain(value: Any) -> Any:
	if isinstance(value, BaseModel):
		return value.model_dump(mode="json")
	if isinstance(value, datetime | date | time):
		return value.isoformat()
	if isinstance(value, Decimal):
		return float(value)
	if isinstance(value, timedelta):
		return value.total_seconds()
	if isinstance(value, set | frozenset):
		return sorted(value, key=str)
	raise TypeError(f"{type(value).__name__} has no JSON form")
