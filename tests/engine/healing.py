"""What tests of healing look at: the events that were written, and how to make them older."""

from pydantic import BaseModel

from dogan_agents.engine.healing import Kind

EVENT = "`tabDogan Healing Event`"


class Nothing(BaseModel):
	"""The input of an action that takes none."""


def events(world, *columns: str) -> list:
	found = world.db.query(
		f"SELECT {', '.join(columns or ('kind', 'subject', 'count', 'helped'))} FROM {EVENT} ORDER BY began, kind"
	)
	return list(found)


def of_kind(world, kind: Kind, *columns: str) -> list:
	wanted = columns or ("subject", "count", "helped")
	return [row[1:] for row in events(world, "kind", *wanted) if row[0] == kind.value]


def later(world, minutes: int) -> None:
	"""As if the events so far were so much older."""
	us = minutes * 60_000_000
	world.db.execute(f"UPDATE {EVENT} SET began = began - %s, happened = happened - %s", (us, us))


def expire(world, table: str, where: str = "1 = 1") -> None:
	world.db.execute(f"UPDATE `tabDogan {table}` SET expires = 1 WHERE {where}")
