"""The database's time, read once and carried on by the machine's monotonic clock for a short while."""

import time

from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW

KEEP = 5.0  # seconds before the database is asked again


class DatabaseClock:
	def __init__(self) -> None:
		self._base = 0
		self._read = float("-inf")

	def now(self, db: Database) -> int:
		"""µs, UTC. Good for what people read and for due times; leases compare inside the database."""
		elapsed = time.monotonic() - self._read
		if elapsed > KEEP:
			self._base = int(db.query(f"SELECT {NOW}")[0][0])
			self._read = time.monotonic()
			elapsed = 0.0
		return self._base + int(elapsed * 1_000_000)
