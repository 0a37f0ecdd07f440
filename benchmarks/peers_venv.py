"""The peers' own virtual environment, in build/: nothing of theirs goes into the project's."""

import subprocess
import sys
from pathlib import Path

from benchmarks.errors import Missing
from benchmarks.places import BUILD

VENV = BUILD / "benchmark-venv"
PYTHON = VENV / "bin/python"


def interpreter(requires: tuple[str, ...]) -> Path:
	"""The interpreter, with these requirements installed; quick when they are."""
	if not PYTHON.exists():
		_run([sys.executable, "-m", "venv", str(VENV)])
	stamp, wanted = VENV / ".installed", " ".join(requires)
	done = stamp.read_text().splitlines() if stamp.exists() else []
	if wanted not in done:
		_run([str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", *requires])
		stamp.write_text("\n".join([*done, wanted]))
	return PYTHON


def _run(command: list[str]) -> None:
	done = subprocess.run(command, capture_output=True, text=True)
	if done.returncode:
		last = (done.stderr or done.stdout).strip().splitlines()[-1:]
		raise Missing(f"cannot be installed: {' '.join(last)}")
