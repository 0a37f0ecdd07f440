"""Celery: a chain through a chord, two prefork processes, Redis as broker and result store."""

import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import work
from benchmarks.program import Program, Settings, main, timed_steps
from dogan_agents.lab.process import Server


class CeleryCanvas(Program):
	packages = ("celery", "redis")

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		os.environ["DOGAN_BENCHMARK_REDIS"] = settings.redis
		from benchmarks.peers import celery_app

		self.tasks = celery_app
		self.workers = self._workers()

	def start(self) -> None:
		self.workers.start()

	def stop(self) -> None:
		self.workers.stop()

	def measure(self, runs: range) -> float:
		outputs: list[Any] = []

		def perform() -> None:
			results = [self._submit(number) for number in runs]
			outputs.extend(result.get(timeout=120) for result in results)

		figure = timed_steps(runs, perform)
		assert outputs == [work.expected(number) for number in runs]
		return figure

	def _workers(self) -> Server:
		pool = ["--pool", "prefork", "--concurrency", str(self.settings.processes), "--loglevel", "WARNING"]
		command = [str(Path(sys.executable).parent / "celery"), "-A", self.tasks.__name__, "worker", *pool]
		return Server("celery", command, self.settings.scratch, self._answers)

	def _answers(self) -> bool:
		return bool(self.tasks.app.control.ping(timeout=0.5))

	def _submit(self, number: int) -> Any:
		from celery import chain, group

		tasks = self.tasks
		return chain(tasks.a.s(number), group(tasks.b.s(), tasks.c.s()), tasks.d.s()).apply_async()


if __name__ == "__main__":
	main(CeleryCanvas)
