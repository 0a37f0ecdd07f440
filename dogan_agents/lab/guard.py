"""Ends the lab when the process that started it is gone, however it went.

Run as a script: guard.py PARENT_PID SCRATCH. Kills every process whose working directory is
in the scratch folder, and removes the folder.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

POLL = 0.2


def main(parent: int, scratch: str) -> None:
	while os.getppid() == parent:
		time.sleep(POLL)
	while pids := inhabitants(scratch):
		for pid in pids:
			with contextlib.suppress(ProcessLookupError):
				os.kill(pid, signal.SIGKILL)
		time.sleep(POLL)
	shutil.rmtree(scratch, ignore_errors=True)


def inhabitants(folder: str) -> list[int]:
	"""The processes that work in the folder; a dead one no longer does."""
	return [int(entry) for entry in os.listdir("/proc") if entry.isdigit() and _works_in(entry, folder)]


def _works_in(pid: str, folder: str) -> bool:
	try:
		place = os.readlink(f"/proc/{pid}/cwd")
	except OSError:
		return False
	return place == folder or place.startswith(folder + "/")


if __name__ == "__main__":
	main(int(sys.argv[1]), sys.argv[2])
