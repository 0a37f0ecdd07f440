"""The site's locks, in the Redis of its queues, which throws nothing out."""

from typing import Any

import frappe
from frappe.utils.background_jobs import get_redis_conn

from dogan_agents.cluster.lock import Held, Locks
from dogan_agents.engine.healing import Helped, Kind
from dogan_agents.host.frappe import site_host
from dogan_agents.host.node import node_name
from dogan_agents.host.redis import impatient

ANSWER_SECONDS = 5.0

_of_site: dict[str, Locks] = {}


def site_locks() -> Locks:
	site = frappe.local.site
	if site not in _of_site:
		_of_site[site] = Locks(impatient(get_redis_conn(), ANSWER_SECONDS), site, node_name(), _holder)
	return _of_site[site]


def force(name: str) -> Held | None:
	"""Take a lock from whoever holds it, and write down who did that."""
	was = site_locks().force(name)
	if was:
		text = f"{frappe.session.user} released the lock {name} by force: {was.holder} on {was.node} held it."
		frappe.logger("dogan_agents").warning(text)
		frappe.get_doc(
			doctype="Activity Log",
			subject=text,
			status="Success",
			user=frappe.session.user,
			full_name=frappe.utils.get_fullname(),
		).insert(ignore_permissions=True, ignore_links=True)
		site_host().healed(Kind.LOCK_RELEASED, name, text, "The next one may have it.", Helped.YES)
	return was


def _holder() -> str:
	step: Any = frappe.flags.dogan_step
	return f"{frappe.session.user}, step {step.task}" if step else str(frappe.session.user)
