"""Small pieces of SQL that several modules share."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dogan_agents.engine.ports import Database

NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
"""The database's clock in µs, UTC: the only clock that leases and timers know."""

RUN, TASK, WORKER, LEASE = "`tabDogan Run`", "`tabDogan Task`", "`tabDogan Worker`", "`tabDogan Lease`"


@contextmanager
def transaction(db: Database) -> Iterator[None]:
	"""Commit what is done inside, or nothing of it."""
	db.begin()
	try:
		yield
		db.commit()
	except BaseException:
		db.rollback()
		raise


def marks(values: Sequence[Any]) -> str:
	"""Placeholders for an IN list."""
	return ", ".join(["%s"] * len(values))


def fence(tokens: Sequence[tuple[str, int]]) -> tuple[str, list[Any]]:
	"""The condition that selects, of these names, the rows which still have the lease token that goes with it.

	The names stand there by themselves, too: to update by a single pair MariaDB would read the whole table.
	"""
	names = [name for name, _ in tokens]
	pairs = ", ".join(["(%s, %s)"] * len(tokens))
	return f"name IN ({marks(names)}) AND (name, lease_token) IN ({pairs})", [
		*names,
		*(part for pair in tokens for part in pair),
	]


def each(column: str, names: Sequence[str], values: Sequence[Any]) -> tuple[str, list[Any]]:
	"""`column = …` giving each named row its own value in one statement, and the parameters for it."""
	if len(set(values)) == 1:
		return f"{column} = %s", [values[0]]
	whens = " ".join(["WHEN %s THEN %s"] * len(names))
	params = [part for pair in zip(names, values, strict=True) for part in pair]
	return f"{column} = CASE name {whens} END", params
