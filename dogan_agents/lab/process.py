"""One server process: started and stopped on conditions, never on guessed times."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .errors import LabError

POLL = 0.01
START_TIMEOUT = 60
STOP_TIMEOUT = 20
LOG_TAIL = 2000


class Server:
	def __init__(self, name: str, command: list[str], folder: Path, is_ready: Callable[[], bool]):
		self.name = name
		self.command = command
		self.folder = folder
		self.log = folder / f"{name}.log"
		self.is_ready = is_ready
		self.process: subprocess.Popen[bytes] | None = None

	@property
	def live(self) -> subprocess.Popen[bytes] | None:
		return self.process if self.process and self.process.poll() is None else None

	@property
	def pid(self) -> int | None:
		return self.live.pid if self.live else None

	def start(self) -> None:
		if self.live:
			return
		with self.log.open("ab") as log:
			self.process = subprocess.Popen(
				self.command,
				cwd=self.folder,
				stdin=subprocess.DEVNULL,
				stdout=log,
				stderr=log,
				start_new_session=True,
			)
		self._wait_until_ready()

	def stop(self) -> None:
		"""Ask it to end, and make it end."""
		if process := self.live:
			process.terminate()
			try:
				process.wait(STOP_TIMEOUT)
			except subprocess.TimeoutExpired:
				self.kill()

	def kill(self) -> None:
		"""End it as a power cut would."""
		if process := self.live:
			process.kill()
			process.wait()

	def _wait_until_ready(self) -> None:
		deadline = time.monotonic() + START_TIMEOUT
		while not self.is_ready():
			if not self.live:
				raise LabError(f"{self.name} ended while starting:\n{self._log_tail()}")
			if time.monotonic() > deadline:
				self.kill()
				raise LabError(f"{self.name} was not ready after {START_TIMEOUT} s:\n{self._log_tail()}")
			time.sleep(POLL)

	def _log_tail(self) -> str:
		return self.log.read_text(errors="replace")[-LOG_TAIL:]
