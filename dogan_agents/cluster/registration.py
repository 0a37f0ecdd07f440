"""A node's row, as its node process keeps it: registration, heartbeat, and what people wish."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psutil

from dogan_agents.cluster.node import DEAD_SECONDS, NODE, STATUS
from dogan_agents.cluster.sample import Sample
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW, transaction


@dataclass(frozen=True, slots=True)
class Given:
	"""What the command line says; None leaves what is in the row."""

	labels: str | None = None
	pools: str | None = None
	least: int | None = None
	most: int | None = None
	queues: tuple[str, ...] = ()  # only these, whatever the pools say


@dataclass(frozen=True, slots=True)
class Wishes:
	"""What people want of the node."""

	takes_work: bool
	pools: tuple[str, ...]  # empty: all
	least: int  # 0: as in the settings
	most: int


class NodeRow:
	"""This node's row, kept by one process: its incarnation."""

	def __init__(self, name: str, local: Callable[[int], datetime], version: str, given: Given = Given()):
		self.name, self.local, self.version, self.given = name, local, version, given
		self.address = _address()
		self.incarnation = f"{socket.gethostname()}-{os.getpid()}-{new_id()[-6:]}"

	def register(self, db: Database) -> bool:
		"""Make the row ours; False while a node of the same name is alive at another address."""
		with transaction(db):
			found = db.query(
				f"SELECT address, {STATUS} IN ('Stopped', 'Dead') FROM {NODE} WHERE name = %s FOR UPDATE",
				(self.name,),
			)
			if found and found[0][0] not in (None, self.address) and not found[0][1]:
				return False
			self._write(db)
		return True

	def _write(self, db: Database) -> None:
		now = self._now(db)
		given = {
			"labels": self.given.labels,
			"pools": self.given.pools,
			"workers_min": self.given.least,
			"workers_max": self.given.most,
		}
		ours = {
			"incarnation": self.incarnation,
			"address": self.address,
			"version": self.version,
			"started_at": now,
			"last_seen": now,
			"status": "Healthy",
			**{column: value for column, value in given.items() if value is not None},
		}
		columns, values = list(ours), list(ours.values())
		db.execute(
			f"INSERT INTO {NODE} (name, node_name, creation, modified, owner, modified_by, weight, "
			f"{', '.join(columns)}, expires) VALUES (%s, %s, %s, %s, 'Administrator', 'Administrator', 1, "
			f"{', '.join(['%s'] * len(columns))}, {NOW} + %s) ON DUPLICATE KEY UPDATE "
			f"{', '.join(f'{column} = VALUES({column})' for column in columns)}, expires = VALUES(expires), "
			"draining = draining AND cordoned",  # who was leaving has come back
			(self.name, self.name, now, now, *values, int(DEAD_SECONDS * 1e6)),
		)

	def beat(self, db: Database, sample: Sample, workers: int, busy: int) -> bool:
		"""Say that the node lives, and how it is; False when the row is another's now, or gone."""
		return bool(
			db.execute(
				f"UPDATE {NODE} SET expires = {NOW} + %s, last_seen = %s, status = {STATUS}, workers = %s, busy = %s, "
				"cpu = %s, memory = %s, disk = %s, `load` = %s, disk_read = %s, disk_write = %s, net_in = %s, "
				"net_out = %s WHERE name = %s AND incarnation = %s",
				(
					int(DEAD_SECONDS * 1e6),
					self._now(db),
					workers,
					busy,
					sample.cpu,
					sample.memory,
					sample.disk,
					sample.load,
					sample.disk_read,
					sample.disk_write,
					sample.net_in,
					sample.net_out,
					self.name,
					self.incarnation,
				),
			)
		)

	def wishes(self, db: Database) -> Wishes | None:
		"""None when the row is another's now, or gone."""
		rows = db.query(
			f"SELECT cordoned, draining, pools, workers_min, workers_max FROM {NODE} "
			"WHERE name = %s AND incarnation = %s",
			(self.name, self.incarnation),
		)
		if not rows:
			return None
		cordoned, draining, pools, least, most = rows[0]
		names = tuple(name.strip() for name in (pools or "").splitlines() if name.strip())
		return Wishes(not cordoned and not draining, names, least, most)

	def is_anothers(self, db: Database) -> bool:
		return bool(
			db.query(
				f"SELECT name FROM {NODE} WHERE name = %s AND incarnation != %s",
				(self.name, self.incarnation),
			)
		)

	def leave(self, db: Database) -> None:
		"""Nothing new is begun here; what was not asked to be cordoned will not be so when the node is back."""
		db.execute(
			f"UPDATE {NODE} SET draining = 1, status = 'Draining' WHERE name = %s AND incarnation = %s",
			(self.name, self.incarnation),
		)

	def stop(self, db: Database) -> None:
		db.execute(
			f"UPDATE {NODE} SET status = 'Stopped', expires = 0, draining = 0, workers = 0, busy = 0 "
			"WHERE name = %s AND incarnation = %s",
			(self.name, self.incarnation),
		)

	def _now(self, db: Database) -> datetime:
		return self.local(int(db.query(f"SELECT {NOW}")[0][0]))


def _address() -> str:
	"""The machine's name and its first address that others can reach."""
	name = socket.gethostname()
	for cards in psutil.net_if_addrs().values():
		for card in cards:
			if card.family == socket.AF_INET and not card.address.startswith("127."):
				return f"{name} ({card.address})"
	return name
