"""Where the lab's servers are and how to reach them."""

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

import pymysql

ENVIRONMENT = "DOGAN_LAB"


@dataclass(frozen=True)
class LabConfig:
	socket: str
	port: int
	user: str
	password: str
	database: str
	redis_url: str
	scratch: str

	def to_json(self) -> str:
		return json.dumps(asdict(self))

	@classmethod
	def from_json(cls, text: str) -> "LabConfig":
		return cls(**json.loads(text))

	def to_env(self) -> dict[str, str]:
		"""This process's environment, with the lab in it: for child processes."""
		return {**os.environ, ENVIRONMENT: self.to_json()}

	@classmethod
	def from_env(cls) -> "LabConfig":
		return cls.from_json(os.environ[ENVIRONMENT])

	def connect(self, **options: Any) -> pymysql.Connection:
		return pymysql.connect(
			unix_socket=self.socket,
			user=self.user,
			password=self.password,
			database=self.database,
			charset="utf8mb4",
			collation="utf8mb4_unicode_ci",
			**options,
		)
