"""RQ with its ordinary workers, which fork for each job."""

from benchmarks.peers.rq_dependencies import RqDependencies
from benchmarks.program import main


class RqForking(RqDependencies):
	worker_class = "rq.worker.Worker"


if __name__ == "__main__":
	main(RqForking)
