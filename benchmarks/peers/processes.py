"""Worker processes of the peers."""

import sys
from pathlib import Path

from dogan_agents.lab.process import Server

READY = "ready to work"


def python_worker(name: str, module: str, arguments: list[str], scratch: Path) -> Server:
	"""A module run in this interpreter; it prints READY once it waits for work."""
	command = [sys.executable, "-m", module, *arguments]
	return Server(name, command, scratch, lambda: READY in (scratch / f"{name}.log").read_text())
