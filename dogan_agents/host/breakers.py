"""The agents' circuit breakers, in their rows: read and written on the engine's own connection, and only in trouble."""

from collections.abc import Callable, Sequence
from datetime import datetime

from dogan_agents.cluster.breaker import Breaker, State, ask, tell
from dogan_agents.engine.healing import Kind, Watch, What
from dogan_agents.engine.ports import Database, ErrorKind
from dogan_agents.engine.sql import NOW, transaction
from dogan_agents.host.healing import AGENT, Mended

Local = Callable[[int], datetime]


def held_back(db: Database, local: Local, agent: str) -> float:
	"""Seconds that the agent's next step must wait; 0 when it may act, as the one trial if need be."""
	rows = db.query(f"SELECT breaker_memory, {NOW} FROM {AGENT} WHERE name = %s", (agent,))
	if not rows:
		return 0.0
	seconds, after = ask(breaker := Breaker.decode(rows[0][0]), rows[0][1])
	if after == breaker:
		return seconds
	with transaction(db):
		breaker, now = _lock(db, agent)
		seconds, after = ask(breaker, now)
		if after != breaker:
			_store(db, local, agent, after)
	return seconds


def ended(db: Database, local: Local, agent: str, kinds: Sequence[ErrorKind | None]) -> Mended | None:
	"""Count how its steps ended; what there is to tell when that has opened the breaker."""
	with transaction(db):
		breaker, now = _lock(db, agent)
		after = tell(breaker, kinds, now)
		if after != breaker:
			_store(db, local, agent, after)
	if after.state is not State.OPEN or breaker.state is State.OPEN:
		return None
	seconds = (after.until - now) / 1e6
	failed = (
		f"its trial failed, for the {after.opened - 1}. time"
		if after.opened > 1
		else f"{len(after.failed)} steps in a row failed within {(now - after.failed[0]) / 1e6:.0f} s"
	)
	last = next(kind for kind in reversed(kinds) if kind)
	return Mended(
		Kind.AGENT_FAILING,
		agent,
		f"Agent {agent}: {failed}, the last with {last.value}.",
		f"Its steps wait for {seconds:.0f} s; then one tries.",
		watch=Watch(What.AGENT, (agent,)),
	)


def _lock(db: Database, agent: str) -> tuple[Breaker, int]:
	rows = db.query(f"SELECT breaker_memory, {NOW} FROM {AGENT} WHERE name = %s FOR UPDATE", (agent,))
	return (Breaker.decode(rows[0][0]), int(rows[0][1])) if rows else (Breaker(), 0)


def _store(db: Database, local: Local, agent: str, breaker: Breaker) -> None:
	db.execute(
		f"UPDATE {AGENT} SET breaker = %s, breaker_until = %s, breaker_memory = %s WHERE name = %s",
		(breaker.state.value, local(breaker.until) if breaker.until else None, breaker.encode(), agent),
	)
