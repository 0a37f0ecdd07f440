"""DBOS on PostgreSQL: a workflow of four steps, on a queue that two processes serve."""

import psycopg
from dbos import DBOSClient, WorkflowHandle

from benchmarks import work
from benchmarks.peers.dbos_worker import QUEUE, VERSION
from benchmarks.peers.processes import python_worker
from benchmarks.program import Program, Settings, main, timed_steps, wait_until
from dogan_agents.lab.process import Server

DONE = "select count(*) from dbos.workflow_status where status = 'SUCCESS' and name = 'diamond'"


class DbosQueue(Program):
	packages = ("dbos", "psycopg")

	def __init__(self, settings: Settings) -> None:
		self.settings = settings
		self.workers = [self._worker(number) for number in range(settings.processes)]

	def start(self) -> None:
		for worker in self.workers:  # one after the other: the first creates the schema
			worker.start()
		self.client = DBOSClient(system_database_url=self.settings.postgres)
		self.watch = psycopg.connect(self.settings.postgres, autocommit=True)

	def stop(self) -> None:
		for worker in self.workers:
			worker.stop()

	def measure(self, runs: range) -> float:
		handles: list[WorkflowHandle[work.Output]] = []
		aim = self._done() + len(runs)

		def perform() -> None:
			options = {"workflow_name": "diamond", "queue_name": QUEUE, "app_version": VERSION}
			handles.extend(self.client.enqueue(options, number) for number in runs)
			wait_until(lambda: self._done() >= aim, "the runs", every=0.01)

		figure = timed_steps(runs, perform)
		assert [handle.get_result() for handle in handles] == [work.expected(number) for number in runs]
		return figure

	def _worker(self, number: int) -> Server:
		module, arguments = "benchmarks.peers.dbos_worker", [self.settings.postgres, f"executor-{number}"]
		return python_worker(f"dbos-{number}", module, arguments, self.settings.scratch)

	def _done(self) -> int:
		return int(self.watch.execute(DONE).fetchone()[0])


if __name__ == "__main__":
	main(DbosQueue)
