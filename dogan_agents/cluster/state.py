"""State that the steps of a run, or the runs of a workflow, share from any node: rows of Dogan State."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from dogan_agents.engine import payload
from dogan_agents.engine.errors import InputError, StateError
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import NOW

TABLE = "`tabDogan State`"
ONE = "scope_type = %s AND scope = %s AND `key` = %s"
LONGEST_KEY = 140


class Scope(str, Enum):
	RUN = "Run"
	WORKFLOW = "Workflow"


class State:
	"""The keys of one run or workflow, in whatever transaction `db` has open.

	Whoever writes holds the row until that transaction ends. A revision is never used twice for a key, not even
	after the key was deleted: it begins with the time, and only grows.
	"""

	def __init__(
		self,
		db: Database,
		scope_type: Scope,
		scope: str,
		*,
		user: str,
		today: Callable[[], datetime],
		workflow: "State | None" = None,
	):
		self.db, self.scope_type, self.scope, self.user, self.today = db, scope_type, scope, user, today
		self._workflow = workflow

	@property
	def workflow(self) -> "State":
		if self._workflow is None:
			raise StateError("This state is the workflow's already.")
		return self._workflow

	def get(self, key: str, default: Any = None) -> Any:
		value, revision = self.read(key)
		return value if revision else default

	def read(self, key: str) -> tuple[Any, int]:
		return self._row(key, "")

	def set(self, key: str, value: Any) -> int:
		text = self._encode(key, value)
		self._hold(key)
		return self._write(key, text)

	def compare_and_set(self, key: str, value: Any, revision: int) -> bool:
		text = self._encode(key, value)
		_, now = self._hold(key)
		if now == revision:
			self._write(key, text)
		elif not now:
			self.delete(key)
		return now == revision

	def increment(self, key: str, by: int | float = 1) -> int | float:
		value, revision = self._hold(key)
		before = value if revision else 0
		if not _is_number(before) or not _is_number(by):
			if not revision:
				self.delete(key)
			raise StateError(
				f"{key} cannot be counted up: {before if _is_number(by) else by!r} is no number."
			)
		after: int | float = before + by
		self._write(key, self._encode(key, after))
		return after

	def delete(self, key: str) -> bool:
		return bool(self.db.execute(f"DELETE FROM {TABLE} WHERE {ONE}", self._where(key)))

	def all(self) -> dict[str, Any]:
		rows = self.db.query(
			f"SELECT `key`, value FROM {TABLE} WHERE scope_type = %s AND scope = %s AND revision > 0 ORDER BY `key`",
			(self.scope_type.value, self.scope),
		)
		return {key: payload.loads(value) for key, value in rows}

	def _hold(self, key: str) -> tuple[Any, int]:
		"""Lock the key's row, made if there was none, and read what is committed by now.

		To look for a row that is not there would lock the gap it belongs in, and two who do so wait for each other.
		"""
		now = self.today()
		self.db.execute(
			f"INSERT INTO {TABLE} (name, creation, modified, modified_by, owner, scope_type, scope, `key`, revision) "
			"VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0) ON DUPLICATE KEY UPDATE revision = revision",
			(new_id(), now, now, self.user, self.user, *self._where(key)),
		)
		return self._row(key, "FOR UPDATE")

	def _row(self, key: str, lock: str) -> tuple[Any, int]:
		rows = self.db.query(f"SELECT value, revision FROM {TABLE} WHERE {ONE} {lock}", self._where(key))
		return (payload.loads(rows[0][0]), int(rows[0][1])) if rows else (None, 0)

	def _write(self, key: str, text: str) -> int:
		self.db.execute(
			f"UPDATE {TABLE} SET value = %s, revision = IF(revision = 0, {NOW}, revision + 1), modified = %s, "
			f"modified_by = %s WHERE {ONE}",
			(text, self.today(), self.user, *self._where(key)),
		)
		return self._row(key, "")[1]

	def _where(self, key: str) -> tuple[str, str, str]:
		if not isinstance(key, str) or not key.strip() or len(key) > LONGEST_KEY:
			raise InputError(f"A key of the shared state has 1 to {LONGEST_KEY} characters.")
		return self.scope_type.value, self.scope, key

	def _encode(self, key: str, value: Any) -> str:
		return payload.dumps(value, f"The value of {key}")


def _is_number(value: Any) -> bool:
	return isinstance(value, int | float) and not isinstance(value, bool)
