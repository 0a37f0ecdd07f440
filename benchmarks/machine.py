"""The machine that was measured on."""

import os
import platform
from dataclasses import dataclass

import psutil

BUSY = 0.25  # the share of the cores that other work may take before figures are doubtful


@dataclass(frozen=True)
class Machine:
	cpu: str
	cores: int
	memory_gib: float
	system: str
	python: str


def describe() -> Machine:
	return Machine(
		cpu=_cpu(),
		cores=os.cpu_count() or 1,
		memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
		system=platform.platform(),
		python=platform.python_version(),
	)


def busy() -> float:
	"""The share of the cores that other work takes just now."""
	return psutil.cpu_percent(interval=1) / 100


def _cpu() -> str:
	with open("/proc/cpuinfo") as lines:
		return next(
			(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown"
		)
