"""What RQ knows of its queues and workers, beyond enqueueing."""

import time
from collections.abc import Callable, Iterable

from redis import Redis
from rq import Queue, Worker

LOOK_SECONDS = 1.0  # how often a drain looks whether its worker was asked to stop
ASKED = "shutdown_requested_date"  # what RQ writes then, for a worker that is busy


def waiting_jobs(redis: Redis, queues: Iterable[str]) -> int:
	"""How many jobs wait in these queues, named as RQ does."""
	return sum(int(redis.llen(Queue.redis_queue_namespace_prefix + name)) for name in queues)


def asked_to_stop(redis: Redis, worker: str | None) -> Callable[[], bool]:
	"""Says whether somebody has asked the RQ worker to stop once its job is done, so that a drain ends early."""
	looked, answer = 0.0, False

	def asked() -> bool:
		nonlocal looked, answer
		if worker and not answer and time.monotonic() - looked > LOOK_SECONDS:
			looked = time.monotonic()
			try:
				answer = bool(redis.hexists(Worker.redis_worker_namespace_prefix + worker, ASKED))
			except Exception:
				return False
		return answer

	return asked
