"""Programs of Debian packages, installed where they are missing."""

import functools
import shutil
import subprocess
from pathlib import Path

from benchmarks.errors import Missing
from benchmarks.places import ROOT

# Debian keeps PostgreSQL's off the PATH, one folder a version.
FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/sbin")


@functools.cache
def program(name: str, package: str) -> str:
	"""The path of a program."""
	if found := _found(name):
		return found
	_install(name, package)
	if found := _found(name):
		return found
	raise Missing(f"{name} is not there, though the package {package} is installed")


def _found(name: str) -> str | None:
	newest_first = sorted((path for pattern in FOLDERS for path in Path("/").glob(pattern[1:])), reverse=True)
	return next(
		(path for path in [shutil.which(name), *(shutil.which(name, path=f) for f in newest_first)] if path),
		None,
	)


def _install(name: str, package: str) -> None:
	script = '. scripts/system.sh; need "$1" "$2"; install_packages'
	done = subprocess.run(
		["bash", "-c", script, "-", package, name], cwd=ROOT, capture_output=True, text=True
	)
	if done.returncode:
		raise Missing(f"{package} cannot be installed: {done.stderr.strip() or done.stdout.strip()}")
