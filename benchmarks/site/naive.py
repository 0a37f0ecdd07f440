"""The naive chain of `frappe.enqueue`: each step is a job that writes one raw row and enqueues its successors.

D is joined by counting: B and C both raise the number on D's row, and the second to do so enqueues D.
"""

import os

import frappe

from benchmarks.program import Program, Settings, main, timed_steps, wait_until
from benchmarks.site.connection import connected_site
from benchmarks.site.workers import QUEUE, QUEUE_REDIS, BenchWorkers

TABLE = "dogan_benchmark_naive"
CREATE = f"""
	create table `{TABLE}` (
		run bigint, step char(1), arrived int default 0, done int default 0, primary key (run, step)
	)
"""
ARRIVE = f"""
	insert into `{TABLE}` (run, step, arrived) values (%s, 'd', 1) on duplicate key update arrived = arrived + 1
"""


def a(run: int) -> None:
	_write(run, "a")
	_enqueue(b, run)
	_enqueue(c, run)


def b(run: int) -> None:
	_write(run, "b")
	_join(run)


def c(run: int) -> None:
	_write(run, "c")
	_join(run)


def d(run: int) -> None:
	frappe.db.sql(f"update `{TABLE}` set done = 1 where run = %s and step = 'd'", run)


def _write(run: int, step: str) -> None:
	frappe.db.sql(f"insert into `{TABLE}` (run, step, done) values (%s, %s, 1)", (run, step))


def _join(run: int) -> None:
	frappe.db.sql(ARRIVE, run)
	arrived = frappe.db.sql(f"select arrived from `{TABLE}` where run = %s and step = 'd'", run)[0][0]
	if arrived == 2:
		_enqueue(d, run)


def _enqueue(step: object, run: int) -> None:
	frappe.enqueue(step, queue=QUEUE, enqueue_after_commit=True, run=run)


class Naive(Program):
	packages = ("frappe", "rq")

	def __init__(self, settings: Settings) -> None:
		os.environ[QUEUE_REDIS] = settings.redis
		self.site = connected_site()
		self.workers = BenchWorkers(settings)

	def start(self) -> None:
		self.site.__enter__()
		self._drop()
		frappe.db.sql_ddl(CREATE)
		self.workers.start()

	def stop(self) -> None:
		self.workers.stop()
		self._drop()
		self.site.__exit__(None, None, None)

	def measure(self, runs: range) -> float:
		aim = self._done() + len(runs)

		def perform() -> None:
			for run in runs:
				_enqueue(a, run)
				frappe.db.commit()
			wait_until(lambda: self._done() >= aim, "the runs", every=0.02)

		return timed_steps(runs, perform)

	def _done(self) -> int:
		frappe.db.rollback()  # else the snapshot stays what it was
		return int(frappe.db.sql(f"select count(*) from `{TABLE}` where step = 'd' and done = 1")[0][0])

	def _drop(self) -> None:
		frappe.db.sql_ddl(f"drop table if exists `{TABLE}`")


if __name__ == "__main__":
	# Under its importable name, so that the workers find the steps.
	from benchmarks.site import naive

	main(naive.Naive)
