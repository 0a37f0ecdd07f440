"""LangGraph with its SQLite checkpointer, two processes with a database file each.

It has no queue and no workers of its own: the runs are handed to the processes through a pipe.
"""

import multiprocessing

from benchmarks import work
from benchmarks.peers import langgraph_worker
from benchmarks.program import PATIENCE, Program, Settings, main, timed_steps


class LanggraphSqlite(Program):
	packages = ("langgraph", "langgraph-checkpoint-sqlite")

	def __init__(self, settings: Settings) -> None:
		context = multiprocessing.get_context("spawn")
		self.numbers, self.outputs = context.Queue(), context.Queue()
		files = [settings.scratch / f"checkpoints-{number}.db" for number in range(settings.processes)]
		self.processes = [
			context.Process(target=langgraph_worker.main, args=(file, self.numbers, self.outputs))
			for file in files
		]

	def start(self) -> None:
		for process in self.processes:
			process.start()
		for _process in self.processes:
			self.outputs.get(timeout=60)

	def stop(self) -> None:
		for process in self.processes:
			process.kill()
			process.join()

	def measure(self, runs: range) -> float:
		outputs: dict[int, work.Output] = {}

		def perform() -> None:
			for number in runs:
				self.numbers.put(number)
			outputs.update(self.outputs.get(timeout=PATIENCE) for _number in runs)

		figure = timed_steps(runs, perform)
		assert outputs == {number: work.expected(number) for number in runs}
		return figure


if __name__ == "__main__":
	main(LanggraphSqlite)
