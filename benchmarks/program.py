"""The frame of a measured program: set up, warm up, some rounds, one JSON line on standard output.

Every case, ours or a peer's, is a module that calls `main(Program)`. It runs as a process of its own, in
the interpreter that its packages live in, so only the standard library is imported here.
"""

import argparse
import json
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TextIO, TypeVar

from benchmarks.work import STEPS_IN_A_RUN

WARM_UP_RUNS = 10
PATIENCE = 120.0  # seconds for a round: beyond it the round counts as stuck

T = TypeVar("T")


class Stuck(Exception):
	"""The work was not done in time."""


@dataclass(frozen=True)
class Settings:
	"""What a program is given. The URL of a service that its case does not name is empty."""

	runs: int
	rounds: int
	scratch: Path
	redis: str = ""
	postgres: str = ""
	processes: int = 2  # of each node
	nodes: int = 1
	placement: str = ""


@dataclass(frozen=True)
class Measured:
	"""What a program tells, as JSON: what was measured before anything went wrong, and what went wrong."""

	figures: list[float]
	versions: dict[str, str]
	problem: str = ""
	notes: list[str] = field(default_factory=list)


class Program(ABC):
	"""One case. Its figures are in the case's unit; `packages` are those whose versions are told."""

	packages: tuple[str, ...] = ()

	@abstractmethod
	def start(self) -> None:
		"""Bring up the workers; return when they wait for work."""

	@abstractmethod
	def stop(self) -> None: ...

	@abstractmethod
	def measure(self, runs: range) -> float:
		"""Do the work once, check what came out, and return the figure."""

	def notes(self) -> list[str]:
		"""What else was seen in all the rounds."""
		return []


def main(program: Callable[[Settings], Program]) -> None:
	settings = _settings()
	with _output_kept_clean() as line:
		print(json.dumps(asdict(_measured(program(settings), settings))), file=line, flush=True)


def timed_steps(runs: range, perform: Callable[[], None]) -> float:
	"""Steps a second of work W, from before the first start until all runs are complete."""
	began = time.perf_counter()
	perform()
	return len(runs) * STEPS_IN_A_RUN / (time.perf_counter() - began)


def wait_until(reached: Callable[[], T], what: str, every: float = 0.005, patience: float = PATIENCE) -> T:
	"""Look every few milliseconds; `what` names the thing waited for in the error."""
	deadline = time.monotonic() + patience
	while not (seen := reached()):
		if time.monotonic() > deadline:
			raise Stuck(f"gave up after {patience:.0f} s waiting for {what}")
		time.sleep(every)
	return seen


def _measured(program: Program, settings: Settings) -> Measured:
	figures: list[float] = []
	notes: list[str] = []
	problem = ""
	try:
		program.start()
		program.measure(range(WARM_UP_RUNS))
		for number in range(settings.rounds):
			first = WARM_UP_RUNS + number * settings.runs
			figures.append(program.measure(range(first, first + settings.runs)))
		notes = program.notes()
	except Exception as error:
		traceback.print_exc()
		problem = f"{type(error).__name__}: {error}"
	finally:
		program.stop()
	versions = {package: version(package) for package in program.packages}
	return Measured(figures, versions, problem, notes)


def _settings() -> Settings:
	parser = argparse.ArgumentParser()
	parser.add_argument("--runs", type=int, default=500)
	parser.add_argument("--rounds", type=int, default=3)
	parser.add_argument("--scratch", type=Path, required=True)
	parser.add_argument("--redis", default="")
	parser.add_argument("--postgres", default="")
	parser.add_argument("--nodes", type=int, default=1)
	parser.add_argument("--placement", default="")
	return Settings(**vars(parser.parse_args()))


@contextmanager
def _output_kept_clean() -> Iterator[TextIO]:
	"""Whatever a library prints goes to standard error: standard output is for the JSON line alone."""
	with os.fdopen(os.dup(sys.stdout.fileno()), "w") as line:
		os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
		yield line
