"""An RQ worker as `bench worker` starts it, for any queues: Frappe's own refuses those that the bench's
configuration does not name, and reads that once.
"""

import os
import re

import frappe
from frappe.utils import background_jobs as frappe_jobs
from rq import Worker
from rq.logutils import setup_loghandlers

QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


def run_worker(
	queues: list[str], name: str | None = None, *, burst: bool = False, quiet: bool = False
) -> None:
	"""Serve the queues, the first ones first, until SIGTERM; a second one ends the job at hand, too."""
	frappe_jobs._start_sentry()
	frappe_jobs._freeze_gc()
	with frappe.init_site():
		connection = frappe_jobs.get_redis_conn()
		names = [frappe_jobs.generate_qname(queue) for queue in queues]
	if os.environ.get("CI"):
		setup_loghandlers("ERROR")
	frappe_jobs.set_niceness()
	Worker(names, name=name, connection=connection).work(
		logging_level="WARNING" if quiet else "INFO",
		burst=burst,
		date_format="%Y-%m-%d %H:%M:%S",
		log_format="%(asctime)s,%(msecs)03d %(message)s",
	)


def queue_names(text: str) -> list[str]:
	"""Of a list with commas; ValueError names one that cannot be a queue's."""
	names = [name.strip() for name in text.split(",") if name.strip()]
	wrong = [name for name in names if not QUEUE.fullmatch(name)]
	if wrong or not names:
		raise ValueError(f"no name of a queue: {wrong[0] if wrong else text!r}")
	return names


def config_line(queue: str) -> str:
	"""What common_site_config.json needs under "workers" before a plain `bench worker` serves the queue."""
	return f'"{queue}": {{"timeout": 1500}}'
