"""Can Redis be reached, and does a worker listen where each pool puts its work?"""

from collections import defaultdict
from collections.abc import Iterator

import frappe
from frappe.utils.background_jobs import generate_qname, get_queues_timeout, get_redis_conn, get_workers

from dogan_agents.doctor.finding import Finding, fail, ok, warn
from dogan_agents.host.cache import shared_cache
from dogan_agents.host.worker import config_line


def redis() -> Iterator[Finding]:
	try:
		get_redis_conn().ping()
	except Exception as error:
		yield fail(
			"redis", f"The queue's Redis does not answer: {error}", "Start it: bench start, or supervisorctl"
		)
	else:
		yield ok("redis", "The queue's Redis answers.")


def cache() -> Iterator[Finding]:
	try:
		stats = shared_cache().stats()
	except Exception as error:
		yield warn(
			"cache",
			f"The cache's Redis does not answer, so that everything is read anew: {error}",
			"Start it: bench start, or supervisorctl",
		)
		return
	reads, missed = sum(found.reads for found in stats), sum(found.missed for found in stats)
	share = f"{1 - missed / reads:.0%} of {reads:,} readings" if reads else "None of its readings"
	yield ok("cache", f"{share} since yesterday were answered by the cache.")


def queues() -> Iterator[Finding]:
	known = get_queues_timeout()
	unknown = {queue: pool for pool, queue in _pools() if queue not in known}
	if unknown:
		yield warn(
			"queues",
			"Queues that a plain `bench worker` does not serve: "
			+ ", ".join(f"{pool} → {queue}" for queue, pool in unknown.items())
			+ ". `bench dogan node` and `bench dogan worker` do.",
			'For plain workers, put this under "workers" in sites/common_site_config.json and restart them: '
			+ ", ".join(map(config_line, unknown)),
		)
	else:
		yield ok(
			"queues", ", ".join(f"{pool} → {queue}" for pool, queue in _pools()) or "No pool is enabled."
		)


def workers() -> Iterator[Finding]:
	listened = {name for worker in get_workers() for name in worker.queue_names()}
	deaf = sorted({queue for _, queue in _pools() if generate_qname(queue) not in listened})
	if deaf:
		yield fail(
			"workers",
			f"No worker listens on the queue {', '.join(deaf)}.",
			f"Start the bench's workers, for one: bench dogan worker --queues {','.join(deaf)}",
		)
	else:
		yield ok("workers", "A worker listens on the queue of every pool.")


def mail_queue() -> Iterator[Finding]:
	"""Slow work of ours on the queue of mail would keep messages waiting."""
	sharers = defaultdict(list)
	for pool, queue in _pools():
		sharers[queue].append(pool)
	others = [pool for pools in sharers.values() if "mail" in pools for pool in pools if pool != "mail"]
	if others:
		yield warn(
			"mail queue",
			f"The pool mail shares its queue with {', '.join(others)}: their work delays messages.",
			"Choose another queue for them in Dogan Pool.",
		)
	else:
		yield ok("mail queue", "No other pool uses the queue of the pool mail.")


def _pools() -> list[tuple[str, str]]:
	rows = frappe.get_all("Dogan Pool", {"enabled": 1}, ["name", "queue"], order_by="name")
	return [(row.name, row.queue) for row in rows]
