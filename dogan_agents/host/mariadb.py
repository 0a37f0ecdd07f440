"""The engine's database port over PyMySQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import pymysql
from pymysql.constants import CLIENT

SESSION = (
	"SET tx_isolation = 'READ-COMMITTED', collation_connection = 'utf8mb4_unicode_ci', "
	"lock_wait_timeout = 10, innodb_lock_wait_timeout = 10"
)
"""Nobody waits longer than 10 s for a row, or for a table that is being altered."""


class MariaDB:
	"""A lazily opened connection at READ COMMITTED; outside `begin` … `commit` each statement stands alone.

	With `idle` seconds, the server ends a transaction with which nobody has gone on for so long: a process that is
	frozen, or cut off from the network, keeps its locks no longer.
	"""

	def __init__(self, parameters: Mapping[str, Any], idle: int = 0):
		self._parameters = dict(parameters)
		self._session = f"{SESSION}, idle_transaction_timeout = {idle}" if idle else SESSION
		self._connection: pymysql.connections.Connection | None = None

	@property
	def connection(self) -> pymysql.connections.Connection:
		if self._connection is None:
			self._connection = pymysql.connect(
				**self._parameters,
				charset="utf8mb4",
				autocommit=True,
				client_flag=CLIENT.FOUND_ROWS,
				connect_timeout=5,
				read_timeout=60,
				write_timeout=60,
				init_command=self._session,
			)
		return self._connection

	@property
	def connection_id(self) -> int:
		return int(self.connection.thread_id())

	def query(self, sql: str, params: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
		with self.connection.cursor() as cursor:
			cursor.execute(sql, params or None)
			return cursor.fetchall()

	def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
		with self.connection.cursor() as cursor:
			return cursor.execute(sql, params or None)

	def begin(self) -> None:
		self.connection.begin()

	def commit(self) -> None:
		self.connection.commit()

	def rollback(self) -> None:
		"""Roll back; a connection that is gone has rolled back by itself."""
		if self._connection is not None:
			try:
				self._connection.rollback()
			except pymysql.err.Error:
				self.reset()

	def reset(self) -> None:
		connection, self._connection = self._connection, None
		if connection is not None:
			try:
				connection.close()
			except pymysql.err.Error:
				return
