from collections.abc import Iterator

import pymysql
import pytest
import redis

from dogan_agents.host import tables
from dogan_agents.lab.schema import create_schema, reset
from dogan_agents.lab.server import LabServers
from tests.engine.world import World


@pytest.fixture(scope="session")
def lab_servers() -> Iterator[LabServers]:
	with LabServers() as servers:
		with servers.config.connect() as connection:
			create_schema(connection)
		yield servers


@pytest.fixture
def lab(lab_servers: LabServers) -> LabServers:
	"""The session's servers, both up, and empty."""
	lab_servers.start_mariadb()
	lab_servers.start_redis()
	with lab_servers.config.connect() as connection:
		reset(connection)
	with redis.Redis.from_url(lab_servers.config.redis_url) as client:
		client.flushall()
	return lab_servers


@pytest.fixture
def connection(lab: LabServers) -> Iterator[pymysql.Connection]:
	with lab.config.connect() as connection:
		yield connection


@pytest.fixture
def world(lab: LabServers) -> Iterator[World]:
	world = World(lab.config)
	yield world
	world.check()
	world.host.work.reset()
	world.db.reset()


@pytest.fixture
def prompt_readings(monkeypatch: pytest.MonkeyPatch) -> None:
	"""Hosts keep nothing of what they have read of settings and nodes."""
	monkeypatch.setattr(tables, "KEEP_SECONDS", 0.0)
	monkeypatch.setattr(tables, "KEEP_NODES_SECONDS", 0.0)
	monkeypatch.setattr(tables, "LOOK_BACK_SECONDS", 0.0)
