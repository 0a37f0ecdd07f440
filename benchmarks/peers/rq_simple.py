"""RQ with workers that do not fork."""

from benchmarks.peers.rq_dependencies import RqDependencies
from benchmarks.program import main


class RqSimple(RqDependencies):
	worker_class = "rq.worker.SimpleWorker"


if __name__ == "__main__":
	main(RqSimple)
