"""The engine's database port over the site's own connection."""

from collections.abc import Sequence
from typing import Any

import frappe

from dogan_agents.host import callbacks


class SiteDatabase:
	"""`frappe.db`: whatever documents do and what the engine writes share its transaction."""

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
