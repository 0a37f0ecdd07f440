"""procrastinate on PostgreSQL, two worker processes of thirty jobs at once."""

import os

import psycopg

from benchmarks import work
from benchmarks.peers.processes import python_worker
from benchmarks.program import Program, Settings, main, timed_steps, wait_until

WORKER = "benchmarks.peers.procrastinate_worker"
DONE = "select count(*) from procrastinate_jobs where status = 'succeeded'"
LAST = "select args from procrastinate_jobs where task_name like '%%.d' and (args ->> 'number')::int >= %s"


class ProcrastinatePostgres(Program):
	packages = ("procrastinate", "psycopg")

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		os.environ["DOGAN_BENCHMARK_POSTGRES"] = settings.postgres
		from benchmarks.peers import procrastinate_app

		self.tasks = procrastinate_app
		names = [f"procrastinate-{number}" for number in range(settings.processes)]
		self.workers = [python_worker(name, WORKER, [], settings.scratch) for name in names]

	def start(self) -> None:
		self.tasks.app.open()
		self.tasks.app.schema_manager.apply_schema()
		self.watch = psycopg.connect(self.settings.postgres, autocommit=True)
		self.watch.execute(self.tasks.JOINS)
		for worker in self.workers:
			worker.start()

	def stop(self) -> None:
		for worker in self.workers:
			worker.stop()
		self.tasks.app.close()

	def measure(self, runs: range) -> float:
		aim = self._done() + len(runs) * work.STEPS_IN_A_RUN

		def perform() -> None:
			for number in runs:
				self.tasks.a.defer(number=number)
			wait_until(lambda: self._done() >= aim, "the runs", every=0.01)

		figure = timed_steps(runs, perform)
		assert self._outputs(runs) == {number: work.expected(number) for number in runs}
		return figure

	def _done(self) -> int:
		return int(self.watch.execute(DONE).fetchone()[0])

	def _outputs(self, runs: range) -> dict[int, work.Output]:
		rows = [row[0] for row in self.watch.execute(LAST, [runs.start]).fetchall()]
		return {row["number"]: work.d(row["left"], row["right"]) for row in rows}


if __name__ == "__main__":
	main(ProcrastinatePostgres)
