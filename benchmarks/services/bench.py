"""A bench with its services up and this checkout on its site, as scripts/on-bench makes it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.errors import Missing
from benchmarks.places import BENCH, ROOT

READY = "the bench is up"


@contextmanager
def bench() -> Iterator[None]:
	"""Up as long as this context: the command that it holds open ends with its standard input."""
	if not (BENCH / "env/bin/python").exists():
		raise Missing(f"there is no bench at {BENCH}: make one with bench-config/up, or set DOGAN_BENCH")
	command = ["scripts/on-bench", "sh", "-c", f"echo {READY}; cat"]
	held = subprocess.Popen(
		command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
	)
	try:
		_wait_until_up(held)
		yield
	finally:
		held.communicate()


def _wait_until_up(held: "subprocess.Popen[str]") -> None:
	lines: list[str] = []
	for line in held.stdout or ():
		if line.strip() == READY:
			return
		lines.append(line.strip())
	raise Missing(f"the bench at {BENCH} does not come up: {' '.join(lines[-3:])}")
