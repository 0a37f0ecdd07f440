"""A private Redis in memory: nothing goes to disk, which is the fastest that its users can have."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.services.debian import program
from dogan_agents.lab.ports import free_port, is_listening
from dogan_agents.lab.process import Server


@contextmanager
def redis(scratch: Path) -> Iterator[str]:
	"""Start it in the scratch folder and yield its URL."""
	port = free_port()
	command = [
		program("redis-server", "redis-server"),
		"--port",
		str(port),
		"--bind",
		"127.0.0.1",
		"--save",
		"",
	]
	server = Server("redis", command, scratch, lambda: is_listening(("127.0.0.1", port)))
	server.start()
	try:
		yield f"redis://127.0.0.1:{port}/0"
	finally:
		server.stop()


def redis_version() -> str:
	command = [program("redis-server", "redis-server"), "--version"]
	shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
	return next((word[2:] for word in shown.split() if word.startswith("v=")), shown.strip())
