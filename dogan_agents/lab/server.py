"""A private MariaDB and a private Redis, from the machine's packages, in a scratch folder."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from . import guard
from .config import LabConfig
from .ports import free_port, is_listening
from .process import Server
from .programs import find_programs
from .template import clone_template, user_options

USER = "dogan"
DATABASE = "dogan_lab"
LOOPBACK = "127.0.0.1"
MARIADB_OPTIONS = (
	"--skip-name-resolve",
	"--skip-log-bin",
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--innodb-flush-log-at-trx-commit=1",
	"--innodb-buffer-pool-size=512M",
	"--innodb-log-file-size=256M",
	"--performance-schema=OFF",
	"--max-connections=500",
)


class LabServers:
	"""Both servers, alive while this context is, and never longer than this process.

	They listen on the loopback, and on one address more when it is given.
	"""

	config: LabConfig
	mariadb: Server
	redis: Server

	def __init__(self, mariadb_options: Sequence[str] = (), address: str = ""):
		self.mariadb_options = mariadb_options
		self.addresses = [LOOPBACK, address] if address else [LOOPBACK]

	def __enter__(self) -> "LabServers":
		programs = find_programs()
		with ExitStack() as stack:
			scratch = stack.enter_context(scratch_folder())
			self.config = _make_config(scratch)
			self.mariadb = _make_mariadb(self.config, programs, self.addresses, self.mariadb_options)
			self.redis = _make_redis(self.config, programs, self.addresses)
			stack.callback(self.stop_mariadb)
			stack.callback(self.stop_redis)
			self.start_mariadb()
			self.start_redis()
			self._stack = stack.pop_all()
		return self

	def __exit__(self, *exception: object) -> None:
		self._stack.close()

	def start_mariadb(self) -> None:
		self.mariadb.start()

	def stop_mariadb(self) -> None:
		self.mariadb.stop()

	def kill_mariadb(self) -> None:
		self.mariadb.kill()

	def restart_mariadb(self) -> None:
		self.mariadb.stop()
		self.mariadb.start()

	def start_redis(self) -> None:
		self.redis.start()

	def stop_redis(self) -> None:
		self.redis.stop()

	def restart_redis(self) -> None:
		"""It comes back empty: the lab's Redis keeps nothing on disk."""
		self.redis.stop()
		self.redis.start()


@contextmanager
def scratch_folder() -> Iterator[Path]:
	scratch = Path(tempfile.mkdtemp(prefix="dogan-lab-")).resolve()
	watch = subprocess.Popen(
		[sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(scratch)],
		cwd="/",
		stdin=subprocess.DEVNULL,
		start_new_session=True,
	)
	try:
		yield scratch
	finally:
		watch.kill()
		watch.wait()
		shutil.rmtree(scratch)


def _make_config(scratch: Path) -> LabConfig:
	return LabConfig(
		socket=str(scratch / "mariadb.sock"),
		port=free_port(),
		user=USER,
		password=secrets.token_hex(16),
		database=DATABASE,
		redis_url=f"redis://:{secrets.token_hex(16)}@{LOOPBACK}:{free_port()}/0",
		scratch=str(scratch),
	)


def _make_mariadb(
	config: LabConfig, programs: dict[str, str], addresses: Sequence[str], options: Sequence[str]
) -> Server:
	scratch = Path(config.scratch)
	clone_template(programs, scratch / "mariadb")
	_write_private(scratch / "init.sql", _grants(config, len(addresses) > 1))
	command = [
		programs["mariadbd"],
		"--no-defaults",
		*user_options(),
		f"--datadir={scratch / 'mariadb'}",
		f"--tmpdir={scratch}",  # at its start a server deletes what another one has in a folder that they share
		f"--socket={config.socket}",
		f"--port={config.port}",
		f"--init-file={scratch / 'init.sql'}",
		f"--bind-address={','.join(addresses)}",
		*MARIADB_OPTIONS,
		*options,
	]
	return Server("mariadb", command, scratch, lambda: _accepts(config))


def _grants(config: LabConfig, from_everywhere: bool) -> str:
	"""One statement a line, run before the server takes any connection."""
	lines = [f"CREATE DATABASE IF NOT EXISTS {config.database};"]
	for host in ("localhost", LOOPBACK, *(["%"] if from_everywhere else [])):
		account = f"'{config.user}'@'{host}'"
		lines.append(f"CREATE USER IF NOT EXISTS {account} IDENTIFIED BY '{config.password}';")
		lines.append(f"GRANT ALL PRIVILEGES ON *.* TO {account};")
	return "\n".join(lines)


def _accepts(config: LabConfig) -> bool:
	if not is_listening(config.socket):
		return False
	try:
		config.connect().close()
	except pymysql.OperationalError:
		return False
	return True


def _make_redis(config: LabConfig, programs: dict[str, str], addresses: Sequence[str]) -> Server:
	scratch, url = Path(config.scratch), urlsplit(config.redis_url)
	port = int(url.port or 0)
	_write_private(
		scratch / "redis.conf",
		f'bind {" ".join(addresses)}\nport {port}\nrequirepass {url.password}\nsave ""\n',
	)
	command = [programs["redis-server"], str(scratch / "redis.conf")]
	return Server("redis", command, scratch, lambda: is_listening((LOOPBACK, port)))


def _write_private(path: Path, text: str) -> None:
	path.touch(mode=0o600)
	path.write_text(text)
