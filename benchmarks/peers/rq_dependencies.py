"""Plain RQ: four jobs a run, tied by `depends_on`.

RQ hands no result from one job to the next, so each step starts from the run's number.
"""

import sys
from pathlib import Path

from redis import Redis
from rq import Queue, Worker
from rq.job import Job

from benchmarks import work
from benchmarks.program import Program, Settings, Stuck, timed_steps, wait_until
from dogan_agents.lab.process import Server


def a(number: int) -> work.Output:
	return work.a(number)


def b(number: int) -> work.Output:
	return work.b(work.a(number))


def c(number: int) -> work.Output:
	return work.c(work.a(number))


def d(number: int) -> work.Output:
	return work.expected(number)


class RqDependencies(Program):
	packages = ("rq", "redis")
	worker_class = ""

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		self.redis = Redis.from_url(settings.redis)
		self.queue = Queue("default", connection=self.redis)
		self.workers = [self._worker(number) for number in range(settings.processes)]

	def start(self) -> None:
		for worker in self.workers:
			worker.start()

	def stop(self) -> None:
		for worker in self.workers:
			worker.stop()

	def measure(self, runs: range) -> float:
		last: list[Job] = []
		aim = self._finished() + len(runs) * work.STEPS_IN_A_RUN

		def perform() -> None:
			last.extend(self._submit(number) for number in runs)
			try:
				wait_until(lambda: self._finished() >= aim, "the runs")
			except Stuck as error:
				left = self.queue.deferred_job_registry.count
				raise Stuck(f"{error}: {left} jobs deferred for ever") from error

		figure = timed_steps(runs, perform)
		assert [job.return_value(refresh=True) for job in last] == [work.expected(number) for number in runs]
		return figure

	def _submit(self, number: int) -> Job:
		first = self.queue.enqueue(a, number)
		left = self.queue.enqueue(b, number, depends_on=first)
		right = self.queue.enqueue(c, number, depends_on=first)
		return self.queue.enqueue(d, number, depends_on=[left, right])

	def _finished(self) -> int:
		return int(self.redis.zcard(self.queue.finished_job_registry.key))

	def _worker(self, number: int) -> Server:
		options = ["--quiet", "--url", self.settings.redis, "--worker-class", self.worker_class, "default"]
		command = [str(Path(sys.executable).parent / "rq"), "worker", *options]
		return Server(
			f"rq-{number}",
			command,
			self.settings.scratch,
			lambda: Worker.count(connection=self.redis) > number,
		)
