import os
import subprocess
import sys
import time
from pathlib import Path

import pymysql
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dogan_agents.lab import programs
from dogan_agents.lab.config import ENVIRONMENT, LabConfig
from dogan_agents.lab.errors import LabError, ProgramsMissing
from dogan_agents.lab.process import Server
from dogan_agents.lab.programs import find_programs
from dogan_agents.lab.server import LabServers

ABANDONED = """
import sys, time
from dogan_agents.lab.server import LabServers
with LabServers() as lab:
	print(lab.mariadb.pid, lab.redis.pid, lab.config.scratch, flush=True)
	time.sleep(60)
"""


def add_effect(lab: LabServers) -> None:
	with lab.config.connect() as connection:
		connection.cursor().execute("insert into lab_effect (task, step, token) values ('t', 's', 1)")
		connection.commit()


def count_effects(lab: LabServers) -> int:
	with lab.config.connect() as connection, connection.cursor() as cursor:
		cursor.execute("select count(*) from lab_effect")
		return cursor.fetchone()[0]


def client(lab: LabServers) -> redis.Redis:
	return redis.Redis.from_url(lab.config.redis_url, retry=Retry(NoBackoff(), retries=1))


def variable(connection: pymysql.Connection, name: str) -> object:
	with connection.cursor() as cursor:
		cursor.execute(f"select @@{name}")
		return cursor.fetchone()[0]


@pytest.mark.parametrize(
	("name", "value"),
	[
		("innodb_flush_log_at_trx_commit", 1),
		("collation_database", "utf8mb4_unicode_ci"),
		("log_bin", 0),
		("performance_schema", 0),
		("tx_isolation", "REPEATABLE-READ"),
	],
)
def test_mariadb_is_set_as_a_site_would_want(connection, name, value):
	assert variable(connection, name) == value


def test_mariadb_listens_on_its_port(lab):
	config = lab.config
	connection = pymysql.connect(
		host="127.0.0.1",
		port=config.port,
		user=config.user,
		password=config.password,
		database=config.database,
	)
	connection.close()


def test_mariadb_wants_the_password(lab):
	with pytest.raises(pymysql.OperationalError):
		pymysql.connect(host="127.0.0.1", port=lab.config.port, user=lab.config.user, password="guess")


@pytest.mark.parametrize("bring_down", [LabServers.stop_mariadb, LabServers.kill_mariadb])
def test_what_was_committed_outlives_mariadb(lab, bring_down):
	add_effect(lab)
	bring_down(lab)
	with pytest.raises(pymysql.OperationalError):
		count_effects(lab)
	lab.start_mariadb()
	assert count_effects(lab) == 1


def test_mariadb_restarts_as_a_new_process(lab):
	before = lab.mariadb.pid
	lab.restart_mariadb()
	assert lab.mariadb.pid not in (None, before)


def test_redis_comes_back_empty(lab):
	with client(lab) as redis_client:
		redis_client.set("key", "value")
		lab.restart_redis()
		assert redis_client.keys() == []


def test_redis_stops_and_starts(lab):
	lab.stop_redis()
	with client(lab) as redis_client:
		with pytest.raises(redis.ConnectionError):
			redis_client.ping()
		lab.start_redis()
		assert redis_client.ping()


def test_config_travels_in_the_environment(lab, monkeypatch):
	monkeypatch.setenv(ENVIRONMENT, lab.config.to_env()[ENVIRONMENT])
	assert LabConfig.from_env() == lab.config


def test_nothing_is_left_behind():
	with LabServers() as lab:
		processes = [lab.mariadb.pid, lab.redis.pid, lab.mariadb.process.pid]
		assert Path(lab.config.scratch).is_dir()
	assert not Path(lab.config.scratch).exists()
	assert not any(is_alive(pid) for pid in processes)


def test_the_servers_end_with_a_parent_that_was_killed():
	with subprocess.Popen([sys.executable, "-c", ABANDONED], stdout=subprocess.PIPE, text=True) as parent:
		mariadb, redis_server, scratch = parent.stdout.readline().split()
		parent.kill()
	wait_until(lambda: not Path(scratch).exists())
	assert not is_alive(int(mariadb))
	assert not is_alive(int(redis_server))


def test_missing_programs_are_named_with_their_packages(monkeypatch):
	monkeypatch.setenv("PATH", "")
	monkeypatch.setattr(programs, "SYSTEM_FOLDERS", "")
	with pytest.raises(
		ProgramsMissing, match="apt-get install mariadb-client-core mariadb-server-core redis-server"
	):
		find_programs()


def test_the_servers_listen_at_one_address_more():
	with LabServers(address="127.0.0.2") as lab:
		far = lab.config.over("127.0.0.2")
		far.connect().close()
		with redis.Redis.from_url(far.redis_url) as client:
			assert client.ping()
	assert LabConfig.from_json(far.to_json()) == far


def test_a_server_that_cannot_start_says_why(tmp_path):
	server = Server("broken", [sys.executable, "-c", "raise SystemExit('no disk')"], tmp_path, lambda: False)
	with pytest.raises(LabError, match="no disk"):
		server.start()


def is_alive(pid: int) -> bool:
	try:
		os.kill(pid, 0)
	except ProcessLookupError:
		return False
	return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def wait_until(condition, seconds: float = 10) -> None:
	deadline = time.monotonic() + seconds
	while not condition():
		assert time.monotonic() < deadline, "waited in vain"
		time.sleep(0.01)
