"""The machine that was measured on."""

import os
import platform

import psutil

BUSY = 0.25  # load of other work, as a share of the cores, beyond which figures are doubtful


def describe() -> dict[str, object]:
	return {
		"cpu": _cpu(),
		"cores": os.cpu_count(),
		"memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
		"system": platform.platform(),
		"python": platform.python_version(),
		"busy_before": round(psutil.cpu_percent(interval=1) / 100, 2),
	}


def _cpu() -> str:
	with open("/proc/cpuinfo") as lines:
		return next(
			(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown"
		)
