"""A DBOS process: `python -m benchmarks.peers.dbos_worker URL EXECUTOR`."""

import signal
import sys
import threading

from dbos import DBOS

from benchmarks import work
from benchmarks.peers.processes import READY

QUEUE = "benchmark"
VERSION = "1"
WORKFLOWS_AT_ONCE = 10  # a process; more gains nothing on two cores
POLL = 0.02  # seconds; DBOS ships with 1


@DBOS.step()
def a(number: int) -> work.Output:
	return work.a(number)


@DBOS.step()
def b(before: work.Output) -> work.Output:
	return work.b(before)


@DBOS.step()
def c(before: work.Output) -> work.Output:
	return work.c(before)


@DBOS.step()
def d(left: work.Output, right: work.Output) -> work.Output:
	return work.d(left, right)


@DBOS.workflow(name="diamond")
def diamond(number: int) -> work.Output:
	first = a(number)
	return d(b(first), c(first))


def main(url: str, executor: str) -> None:
	DBOS(
		config={
			"name": "benchmark",
			"system_database_url": url,
			"executor_id": executor,
			"application_version": VERSION,
			"log_level": "WARNING",
		}
	)
	DBOS.launch()
	DBOS.register_queue(QUEUE, worker_concurrency=WORKFLOWS_AT_ONCE, polling_interval_sec=POLL)
	ended = threading.Event()
	signal.signal(signal.SIGTERM, lambda *_: ended.set())
	print(READY, flush=True)
	ended.wait()


if __name__ == "__main__":
	main(*sys.argv[1:])
