"""A freshly initialised MariaDB data directory, made once a version and cloned for each start."""

import getpass
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .errors import LabError


def clone_template(programs: dict[str, str], target: Path) -> None:
	template = _cache() / f"mariadb-{_version(programs['mariadbd'])}-{os.getuid()}"
	if not template.exists():
		_make(programs["mariadb-install-db"], template)
	shutil.copytree(template, target)


def user_options() -> list[str]:
	"""MariaDB refuses to run as root unless told to."""
	return ["--user=root"] if os.getuid() == 0 else []


def _make(install_program: str, template: Path) -> None:
	template.parent.mkdir(parents=True, exist_ok=True)
	workshop = Path(tempfile.mkdtemp(prefix="making-", dir=template.parent))
	try:
		_install(install_program, workshop / "data")
		_put(workshop / "data", template)
	finally:
		shutil.rmtree(workshop)


def _install(install_program: str, folder: Path) -> None:
	command = [
		install_program,
		"--no-defaults",
		*user_options(),
		f"--datadir={folder}",
		f"--tmpdir={folder.parent}",
		"--skip-name-resolve",
		f"--auth-root-socket-user={getpass.getuser()}",
		"--skip-test-db",
		"--innodb-log-file-size=4M",  # small to clone; a server resizes it when it starts
	]
	done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
	if done.returncode:
		raise LabError(f"mariadb-install-db failed:\n{done.stdout}")


def _put(made: Path, template: Path) -> None:
	"""Another process may have made the same template meanwhile: either will do."""
	try:
		made.rename(template)
	except OSError:
		if not template.exists():
			raise


def _version(mariadbd: str) -> str:
	text = subprocess.run([mariadbd, "--no-defaults", "--version"], capture_output=True, text=True).stdout
	return re.findall(r"Ver ([\w.+~-]+)", text)[0]


def _cache() -> Path:
	return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dogan-agents"
