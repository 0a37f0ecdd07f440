"""The cache over HTTP: /api/method/dogan_agents.api.cache.<name>."""

from typing import Any

import frappe

from dogan_agents.api.access import require_operator
from dogan_agents.host.cache import shared_cache


@frappe.whitelist()
def stats() -> list[dict[str, Any]]:
	"""How often what is cached was read since yesterday began (UTC), and the share that needed no reading anew."""
	require_operator()
	return [
		{
			"group": found.group,
			"reads": found.reads,
			"memory": found.memory,
			"redis": found.redis,
			"missed": found.missed,
			"rate": found.rate,
		}
		for found in shared_cache().stats()
	]
