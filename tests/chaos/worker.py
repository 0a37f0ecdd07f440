"""An ordinary RQ worker of the lab that writes the engine's log to its standard error: `worker.py NODE`."""

import logging
import os
import sys

from redis import Redis
from rq import Queue, Worker

from dogan_agents.host.lab import NODE
from dogan_agents.lab.config import LabConfig

if __name__ == "__main__":
	os.environ[NODE] = sys.argv[1]
	logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
	redis = Redis.from_url(LabConfig.from_env().redis_url)
	Worker([Queue("default", connection=redis)], connection=redis).work(logging_level="WARNING")
