"""How busy this machine is: rates between two readings of its counters."""

import os
import time
from dataclasses import dataclass

import psutil

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
	"""Counters that only grow, and when they were read."""

	at: float  # seconds, by a clock that only grows
	cpu_busy: float  # seconds of all processors together
	cpu_total: float
	disk_read: int = 0  # bytes
	disk_written: int = 0
	net_in: int = 0
	net_out: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
	cpu: float = 0.0  # percent, since the sample before
	memory: float = 0.0  # percent
	disk: float = 0.0  # percent of the space where the node process works
	load: float = 0.0  # over the last minute
	disk_read: float = 0.0  # MB/s
	disk_write: float = 0.0
	net_in: float = 0.0
	net_out: float = 0.0


class Sampler:
	"""Each call samples what happened since the call before."""

	def __init__(self, folder: str = "."):
		self.folder = folder
		self._last = read()

	def __call__(self) -> Sample:
		before, self._last = self._last, read()
		cpu, *rates = rates_between(before, self._last)
		return Sample(
			cpu,
			psutil.virtual_memory().percent,
			psutil.disk_usage(self.folder).percent,
			os.getloadavg()[0],
			*rates,
		)


def read() -> Reading:
	cpu = psutil.cpu_times()
	idle = cpu.idle + getattr(cpu, "iowait", 0.0)
	total = sum(cpu) - getattr(cpu, "guest", 0.0) - getattr(cpu, "guest_nice", 0.0)  # user has those already
	disk, net = psutil.disk_io_counters(), psutil.net_io_counters()  # a container may have none
	return Reading(
		time.monotonic(),
		total - idle,
		total,
		disk.read_bytes if disk else 0,
		disk.write_bytes if disk else 0,
		net.bytes_recv if net else 0,
		net.bytes_sent if net else 0,
	)


def rates_between(before: Reading, after: Reading) -> tuple[float, float, float, float, float]:
	"""CPU in percent; disk read and written, network in and out in MB/s. A counter that was reset has no rate."""
	seconds = after.at - before.at
	cpu = _per(after.cpu_busy - before.cpu_busy, after.cpu_total - before.cpu_total) * 100

	def rate(earlier: int, later: int) -> float:
		return _per(later - earlier, seconds) / MB

	return (
		min(cpu, 100.0),
		rate(before.disk_read, after.disk_read),
		rate(before.disk_written, after.disk_written),
		rate(before.net_in, after.net_in),
		rate(before.net_out, after.net_out),
	)


def _per(amount: float, whole: float) -> float:
	return max(amount, 0.0) / whole if whole > 0 else 0.0
