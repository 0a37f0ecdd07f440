"""Where the lab's servers are and how to reach them."""

import json
import os
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

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
	host: str = ""  # MariaDB's address; empty: its socket

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

	def over(self, host: str, port: int = 0, redis_port: int = 0) -> "LabConfig":
		"""The same servers, reached over the network; at their own ports unless others are given."""
		url = urlsplit(self.redis_url)
		account, _, _ = url.netloc.rpartition("@")
		place = f"{account}@{host}:{redis_port or url.port}"
		return replace(self, host=host, port=port or self.port, redis_url=url._replace(netloc=place).geturl())

	@property
	def parameters(self) -> dict[str, Any]:
		"""What PyMySQL needs to know."""
		place = {"host": self.host, "port": self.port} if self.host else {"unix_socket": self.socket}
		return {**place, "user": self.user, "password": self.password, "database": self.database}

	def connect(self, **options: Any) -> pymysql.Connection:
		return pymysql.connect(
			**self.parameters,
			charset="utf8mb4",
			collation="utf8mb4_unicode_ci",
			**options,
		)
