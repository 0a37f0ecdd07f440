"""The first step of a run when nothing is at work: a wake-up takes a fresh job of a bench worker."""

from frappe.utils.background_jobs import get_redis_conn
from rq import Worker
from rq.worker import WorkerStatus

from benchmarks.program import main, wait_until
from benchmarks.site.first_step import FirstStep


class FirstStepFresh(FirstStep):
	idle_seconds = 0  # a drain ends as soon as its pool is empty

	def ready(self) -> None:
		wait_until(self._all_idle, "the workers to be idle")

	def _all_idle(self) -> bool:
		return all(worker.get_state() == WorkerStatus.IDLE for worker in Worker.all(get_redis_conn()))


if __name__ == "__main__":
	main(FirstStepFresh)
