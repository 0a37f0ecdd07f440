"""All checks, one after the other."""

from collections.abc import Iterator

import frappe

from dogan_agents.doctor import cluster, database, hands, site, work
from dogan_agents.doctor.finding import Check, Finding, fail

CHECKS: tuple[Check, ...] = (
	database.server,
	database.schema,
	database.clock,
	cluster.nodes,
	hands.redis,
	hands.cache,
	hands.queues,
	hands.workers,
	hands.mail_queue,
	site.scheduler,
	site.actions,
	site.mail_account,
	site.identities,
	site.environment,
	work.switched_on,
	work.leader,
	work.oldest_ready,
	work.dead_workers,
	work.failed_runs,
	work.parked_tasks,
)


def examine() -> Iterator[Finding]:
	for check in CHECKS:
		try:
			yield from check()
		except Exception as error:
			frappe.db.rollback()
			yield fail(
				check.__name__,
				f"Could not be checked: {error}",
				"Mend what failed before it, then look again.",
			)
