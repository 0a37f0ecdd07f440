"""Names that sort by time, so that new rows are appended to the clustered index instead of scattered over it."""

import os
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
TIME_CHARS, RANDOM_CHARS = 9, 9


def new_id() -> str:
	"""18 characters: 45 bits of milliseconds, then 45 random bits, in Crockford's base 32 (lower case)."""
	random_bits = int.from_bytes(os.urandom(6), "big") >> 3
	return _encode(int(time.time() * 1000), TIME_CHARS) + _encode(random_bits, RANDOM_CHARS)


def task_name(run: str, step: str, item: int = 0) -> str:
	"""A task's name follows from its run and step, so that successors are found by primary key."""
	return f"{run}-{step}-{item}" if item else f"{run}-{step}"


def _encode(number: int, length: int) -> str:
	characters = []
	for _ in range(length):
		number, index = divmod(number, 32)
		characters.append(ALPHABET[index])
	return "".join(reversed(characters))
