"""The first step of a run when nothing is at work: a wake-up takes a fresh RQ job."""

from rq import Worker
from rq.worker import WorkerStatus

from benchmarks.lab.first_step import FirstStep
from benchmarks.program import main, wait_until


class FirstStepFresh(FirstStep):
	def start(self) -> None:
		super().start()
		self.set_pool(idle_seconds=0)  # a drain ends as soon as its pool is empty

	def ready(self) -> None:
		wait_until(self._all_idle, "the workers to be idle")

	def _all_idle(self) -> bool:
		return all(worker.get_state() == WorkerStatus.IDLE for worker in Worker.all(self.host.redis))


if __name__ == "__main__":
	main(FirstStepFresh)
