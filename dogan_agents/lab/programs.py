"""The server programs of this machine."""

import shutil

from .errors import ProgramsMissing

SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PACKAGES = {
	"mariadbd": "mariadb-server-core",
	"mariadb-install-db": "mariadb-server-core",
	"my_print_defaults": "mariadb-client-core",
	"redis-server": "redis-server",
}


def find_programs() -> dict[str, str]:
	"""The path of each program; an error names the Debian packages of those missing."""
	paths = {name: path for name in PACKAGES if (path := _which(name))}
	if missing := [name for name in PACKAGES if name not in paths]:
		packages = " ".join(sorted({PACKAGES[name] for name in missing}))
		raise ProgramsMissing(
			f"Not installed: {', '.join(missing)}. On Debian or Ubuntu: sudo apt-get install {packages}"
		)
	return paths


def _which(name: str) -> str | None:
	return shutil.which(name) or shutil.which(name, path=SYSTEM_FOLDERS)
