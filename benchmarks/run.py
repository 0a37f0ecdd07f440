"""Measuring one case: its services, its process, its JSON line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import peers_venv
from benchmarks.case import Case, Home, Result, Service
from benchmarks.errors import Missing
from benchmarks.machine import busy
from benchmarks.places import BENCH, ROOT
from benchmarks.program import Measured
from benchmarks.scratch import scratch_folder
from benchmarks.services.bench import bench
from benchmarks.services.postgres import postgres, postgres_version
from benchmarks.services.redis import redis, redis_version

LONGEST = 1800  # seconds for all the rounds of a case
SERVICES = {Service.REDIS: redis, Service.POSTGRES: postgres}
VERSIONS = {Service.REDIS: redis_version, Service.POSTGRES: postgres_version}


def run(case: Case, runs: int, rounds: int) -> Result:
	runs, busy_before = case.runs(runs), busy()
	try:
		with scratch_folder() as scratch, _services(case, scratch) as urls:
			options = ["--runs", str(runs), "--rounds", str(case.rounds(rounds)), *case.options, *urls]
			told = _measure(case, options, scratch)
	except Missing as error:
		return Result(case, runs, problem=str(error), busy_before=busy_before)
	versions = {**told.versions, **_versions(case)}
	return Result(case, runs, tuple(told.figures), versions, told.problem, tuple(told.notes), busy_before)


@contextmanager
def _services(case: Case, scratch: Path) -> Iterator[list[str]]:
	"""Start what the case wants; yield the options that tell its program where."""
	options: list[str] = []
	with ExitStack() as stack:
		if case.home is Home.BENCH:
			stack.enter_context(bench())
		for service in case.services:
			options += [f"--{service.value}", stack.enter_context(SERVICES[service](scratch))]
		yield options


def _measure(case: Case, options: list[str], scratch: Path) -> Measured:
	command = [str(_interpreter(case)), "-m", case.module, "--scratch", str(scratch), *options]
	environment = {**os.environ, "PYTHONPATH": str(ROOT)}
	log = scratch / "program.log"
	with log.open("w") as errors:
		try:
			done = subprocess.run(
				command, cwd=scratch, env=environment, stdout=subprocess.PIPE, stderr=errors, timeout=LONGEST
			)
		except subprocess.TimeoutExpired as error:
			raise Missing(f"not done within {LONGEST} s") from error
	if done.returncode or not done.stdout.strip():
		last = log.read_text(errors="replace").strip().splitlines()[-1:]
		raise Missing(f"ended with code {done.returncode}: {' '.join(last)}")
	return Measured(**json.loads(done.stdout))


def _interpreter(case: Case) -> Path:
	match case.home:
		case Home.PEERS:
			return peers_venv.interpreter(case.requires)
		case Home.BENCH:
			return BENCH / "env/bin/python"
		case Home.OURS:
			return Path(sys.executable)


def _versions(case: Case) -> dict[str, str]:
	return {service.value: VERSIONS[service]() for service in case.services}
