"""A private PostgreSQL, every commit on disk before it is answered, with as much memory as our MariaDB."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.errors import Missing
from benchmarks.services.debian import program
from dogan_agents.lab.ports import free_port
from dogan_agents.lab.process import Server

SETTINGS = ("fsync=on", "synchronous_commit=on", "shared_buffers=512MB", "max_connections=200")


@contextmanager
def postgres(scratch: Path) -> Iterator[str]:
	"""Start it in a folder of its own and yield its URL. It refuses root, hence another user where needed."""
	folder, port = scratch / "postgres", free_port()
	folder.mkdir()
	if os.geteuid() == 0:
		os.chown(folder, _unprivileged().pw_uid, _unprivileged().pw_gid)
	_initialise(folder)
	server = Server("postgres", _command(folder, port), folder, lambda: _answers(port))
	server.start()
	try:
		yield f"postgresql://bench@127.0.0.1:{port}/postgres"
	finally:
		server.stop()


def postgres_version() -> str:
	shown = subprocess.run([_program("postgres"), "--version"], capture_output=True, text=True, check=True)
	return shown.stdout.split()[2]


def _initialise(folder: Path) -> None:
	options = ["-D", str(folder / "data"), "-U", "bench", "--auth=trust", "--encoding=UTF8", "--no-sync"]
	made = subprocess.run(_as_user([_program("initdb"), *options]), capture_output=True, text=True, cwd="/")
	if made.returncode:
		raise Missing(f"initdb failed: {made.stderr.strip()}")


def _command(folder: Path, port: int) -> list[str]:
	place = ["-D", str(folder / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(folder)]
	return _as_user(
		[_program("postgres"), *place, *(word for setting in SETTINGS for word in ("-c", setting))]
	)


def _answers(port: int) -> bool:
	return not subprocess.run([_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode


def _program(name: str) -> str:
	return program(name, "postgresql")


def _as_user(command: list[str]) -> list[str]:
	if os.geteuid():
		return command
	user = _unprivileged()
	return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def _unprivileged() -> pwd.struct_passwd:
	for name in ("postgres", "nobody"):
		with suppress(KeyError):
			return pwd.getpwnam(name)
	raise Missing("PostgreSQL refuses root, and there is no user postgres or nobody to run it as")
