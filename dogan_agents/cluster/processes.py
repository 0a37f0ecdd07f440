"""Processes of this machine, as Linux tells of them."""

import contextlib
import ctypes
import os
import signal
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def children(pid: int) -> list[int]:
	"""Of a process with one thread; none of a process that is gone."""
	try:
		return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
	except OSError:
		return []


def show_as(name: str) -> None:
	"""The name of this process in ps and top."""
	Path("/proc/self/comm").write_text(name)


def end_with_parent(parent: int) -> None:
	"""Ask this process to end when its parent does, however that comes about."""
	_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
	if os.getppid() != parent:
		os.kill(os.getpid(), signal.SIGTERM)


def kill_tree(pid: int) -> None:
	"""SIGKILL for a process and all below it: a job that RQ has forked would outlive its worker."""
	with contextlib.suppress(psutil.NoSuchProcess):
		process = psutil.Process(pid)
		for each in (process, *process.children(recursive=True)):
			with contextlib.suppress(psutil.NoSuchProcess):
				each.kill()
