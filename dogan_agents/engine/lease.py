"""Leases: one row a worker, renewed by a thread on its own connection; and one row for the leader of the sweep."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import Database, ErrorKind, Host
from dogan_agents.engine.sql import LEASE, NOW, WORKER

RENEW_SECONDS = 2.0
LEASE_SECONDS = 8.0
LEADER_SECONDS = 5.0
OUTAGE_SECONDS = 30.0  # within which everybody who loses his connection means the same outage


class WorkerLease:
	"""A worker's right to what it has claimed. `lost()` turns true when it could not be renewed in time."""

	def __init__(self, host: Host, pool: str, rq_worker: str | None = None):
		self.host, self.pool, self.rq_worker = host, pool, rq_worker
		self.name = f"{host.node}-{os.getpid()}-{new_id()[-6:]}"
		self.done = 0
		self.connections = ""  # the server's numbers of those that the worker's main thread uses
		self._renewed = time.monotonic()
		self._lost = threading.Event()
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self._run, name="dogan-lease", daemon=True)

	def __enter__(self) -> "WorkerLease":
		self._register(self.host.own)
		self._thread.start()
		return self

	def __exit__(self, *problem: Any) -> None:
		self._stop.set()
		self._thread.join(RENEW_SECONDS)
		end(self.host.own, self.name)

	def lost(self) -> bool:
		return self._lost.is_set() or time.monotonic() - self._renewed > LEASE_SECONDS

	def idle(self) -> None:
		"""The worker has nothing to do: it fills no place of `max_agents` until it claims again."""
		self.host.own.execute(
			f"UPDATE {WORKER} SET status = 'Idle' WHERE name = %s AND status = 'Busy'", (self.name,)
		)

	def _register(self, db: Database) -> None:
		prepare(db)
		at = self.host.local(int(time.time() * 1e6))
		db.execute(
			f"INSERT INTO {WORKER} (name, creation, modified, owner, modified_by, node, pool, pid, rq_worker, status, "
			"started_at, last_seen, connections, expires) VALUES (%s, %s, %s, 'Administrator', 'Administrator', %s, "
			f"%s, %s, %s, 'Idle', %s, %s, %s, {NOW} + %s)",
			(
				self.name, at, at, self.host.node, self.pool, os.getpid(), self.rq_worker, at, at, self.connections,
				int(LEASE_SECONDS * 1e6),
			),
		)  # fmt: skip

	def _run(self) -> None:
		db = self.host.own
		try:
			while not self._stop.wait(RENEW_SECONDS) and not self.lost():
				self._turn(db)
		finally:
			db.reset()

	def _turn(self, db: Database) -> None:
		asked = time.monotonic()
		try:
			if not renew(self.host, db, self.name, self.done, self.connections):
				self._lost.set()
				return
			self._renewed = asked
			self.host.hands.alive(self.pool, self.name, LEASE_SECONDS)
		except Exception as error:
			db.reset()
			self.host.log(f"{self.name} could not renew its lease: {error}")


def renew(host: Host, db: Database, worker: str, done: int, connections: str = "") -> bool:
	"""Prolong the lease by the database's clock; False when the worker has been declared dead."""
	changed = db.execute(
		f"UPDATE {WORKER} SET expires = {NOW} + %s, last_seen = %s, tasks_done = %s, connections = %s "
		f"WHERE name = %s AND status IN ('Idle', 'Busy')",
		(int(LEASE_SECONDS * 1e6), host.local(int(time.time() * 1e6)), done, connections, worker),
	)
	return changed == 1


def disconnect(db: Database, worker: str) -> list[int]:
	"""Close a dead worker's connections, so that the locks of its open transaction hold up nobody; their numbers.

	A frozen process keeps its connections, and their locks, for as long as it stays frozen. The server gives a
	number again only after its own restart, so those from before one are left alone.
	"""
	rows = db.query(
		f"SELECT p.id FROM {WORKER} w JOIN information_schema.processlist p ON FIND_IN_SET(p.id, w.connections) "
		"JOIN information_schema.global_status s ON s.variable_name = 'Uptime' "
		"WHERE w.name = %s AND p.user = SUBSTRING_INDEX(USER(), '@', 1) AND p.id != CONNECTION_ID() "
		f"AND {NOW} - w.expires + %s < s.variable_value * 1000000",
		(worker, int(LEASE_SECONDS * 1e6)),
	)
	for (number,) in rows:
		_kill(db, int(number))
	return [int(number) for (number,) in rows]


def _kill(db: Database, number: int) -> None:
	"""It may have ended by itself meanwhile: then there is nothing to close."""
	db.execute(f"BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; KILL CONNECTION {number}; END")


def end(db: Database, worker: str) -> None:
	"""A worker that ends in order leaves no row behind; one that was declared dead keeps it as evidence."""
	step_down(db, worker)
	db.execute(f"DELETE FROM {WORKER} WHERE name = %s AND status IN ('Idle', 'Busy')", (worker,))


def lead(db: Database, holder: str) -> bool:
	"""Be the leader for the next LEADER_SECONDS, if nobody else is. Nobody may have led, or drained, before."""
	taken = db.execute(
		f"UPDATE {LEASE} SET token = token + (holder IS NULL OR holder != %s), "
		"silent = IF(holder != %s, holder, silent), "  # who held it until now, and did not step down
		f"holder = %s, expires = {NOW} + %s "
		f"WHERE name = 'sweep' AND (holder = %s OR holder IS NULL OR expires < {NOW})",
		(holder, holder, holder, int(LEADER_SECONDS * 1e6), holder),
	)
	if not taken and not db.query(f"SELECT name FROM {LEASE} WHERE name = 'sweep'"):
		prepare(db)
	return taken == 1


def step_down(db: Database, holder: str) -> None:
	"""Leave the lead to others at once, if it is ours; the time of the last sweep stays."""
	db.execute(
		f"UPDATE {LEASE} SET holder = NULL, expires = LEAST(expires, {NOW}) WHERE name = 'sweep' AND holder = %s",
		(holder,),
	)


def tell_of_takeover(host: Host, db: Database) -> None:
	"""The leader before may have stopped in the middle of something: say so, once."""
	for holder, silent in db.query(
		f"SELECT holder, silent FROM {LEASE} WHERE name = 'sweep' AND silent IS NOT NULL"
	):
		if db.execute(f"UPDATE {LEASE} SET silent = NULL WHERE name = 'sweep' AND silent = %s", (silent,)):
			host.healed(
				Kind.LEADER_LOST,
				"sweep",
				f"{silent} led the sweep, and was silent for more than {LEADER_SECONDS:.0f} s.",
				f"{holder} leads.",
				Helped.YES,
			)


def prepare(db: Database) -> None:
	"""Make the rows that leases are taken on, where they are missing."""
	db.execute(
		f"INSERT IGNORE INTO {LEASE} (name, creation, modified) VALUES ('sweep', NOW(6), NOW(6)), "
		"('limits', NOW(6), NOW(6)), ('redis', NOW(6), NOW(6))"
	)


def tell_of_connection(host: Host, error: BaseException) -> None:
	"""The database is back for us; each of the node's processes may have noticed that it was away."""
	host.healed(
		Kind.DATABASE_LOST,
		host.node,
		f"Processes on {host.node} lost their connections to the database: {error}",
		"They connected anew; what was not committed is done again.",
		Helped.YES,
		same_for=OUTAGE_SECONDS,
	)


class Every:
	"""A thread that calls `work` every `seconds` until stopped; an error is logged and the next turn comes."""

	def __init__(self, host: Host, seconds: float, work: Callable[[], object]):
		self.host, self.seconds, self.work = host, seconds, work
		self._cut_off: Exception | None = None  # why we are, if we are
		self._stop = threading.Event()
		self._thread = threading.Thread(target=self._run, name="dogan-sweep", daemon=True)

	def __enter__(self) -> "Every":
		self._thread.start()
		return self

	def __exit__(self, *problem: Any) -> None:
		self._stop.set()
		self._thread.join(self.seconds * 2)

	def _run(self) -> None:
		try:
			while not self._stop.wait(self.seconds):
				self._turn()
		finally:
			self.host.own.reset()

	def _turn(self) -> None:
		try:
			self.work()
		except Exception as error:
			self.host.own.reset()
			self.host.log(f"{self._thread.name}: {error}")
			if self.host.classify(error) is ErrorKind.CONNECTION:
				self._cut_off = error
		else:
			if self._cut_off:
				tell_of_connection(self.host, self._cut_off)
			self._cut_off = None
