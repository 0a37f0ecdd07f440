"""The engine's database port over the site's own connection."""

from collections.abc import Sequence
from typing import Any

import frappe

from dogan_agents.host import callbacks


class SiteDatabase:
	"""`frappe.db`: whatever documents do and what the engine writes share its transaction."""

	@property
	def connection_id(self) -> int:
		if not frappe.db._conn:
			frappe.db.connect()
		return int(frappe.db._conn.thread_id())

	def query(self, sql: str, params: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
		return frappe.db.sql(sql, tuple(params))  # type: ignore[no-any-return]

	def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
		frappe.db.sql(sql, tuple(params))
		return int(frappe.db._cursor.rowcount)

	def begin(self) -> None:
		"""Frappe always has a transaction open."""

	def commit(self) -> None:
		callbacks.commit()

	def rollback(self) -> None:
		try:
			frappe.db.rollback()
		except Exception:
			self.reset()

	def reset(self) -> None:
		callbacks.forget()
		frappe.db.close()


class DrainDatabase(SiteDatabase):
	"""A drain's: at READ COMMITTED, like all else the engine does.

	A snapshot may be older than what a step depends on: it waited for a lock, or the one before it read something
	after its commit. Frappe silently drops a link to a document that its snapshot does not show.
	"""

	_prepared: Any = None  # the connection that is at READ COMMITTED

	def begin(self) -> None:
		if self._prepared is None or self._prepared is not frappe.db._conn:
			frappe.db.sql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
			frappe.db.rollback()  # it counts from the next transaction on
			self._prepared = frappe.db._conn
