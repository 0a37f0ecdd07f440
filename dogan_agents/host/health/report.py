"""What a balancer or a probe is told.

Nothing here needs frappe.init: a site's configuration is enough. What is told is for anybody: no names of
hosts or users, no stack traces.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from dogan_agents.host.health import database, servers
from dogan_agents.host.health.servers import Findings

KEEP = 1.0  # seconds that what was found is good for

_lock = threading.Lock()
_found: dict[str, tuple[float, Findings]] = {}


def live() -> dict[str, Any]:
	return {"ok": True}


def ready(conf: Mapping[str, Any], queue: bool = True) -> dict[str, Any]:
	"""Whether requests should come here, and for each check why not. Without `queue`, late work is no reason."""
	findings = {"maintenance": _maintenance(conf), **_servers(conf)}
	if not queue:
		del findings["queue"]
	checks = {
		name: {"ok": not reason, **({"reason": reason} if reason else {})}
		for name, reason in findings.items()
	}
	return {"ok": not any(findings.values()), "checks": checks}


def forget() -> None:
	"""Look again, whenever it was last looked."""
	_found.clear()
	database.forget()


def _maintenance(conf: Mapping[str, Any]) -> str:
	return "The site is in maintenance mode." if conf.get("maintenance_mode") else ""


def _servers(conf: Mapping[str, Any]) -> Findings:
	"""One thread looks; the others wait for what it finds."""
	site = str(conf["db_name"])
	with _lock:
		at, findings = _found.get(site, (0.0, {}))
		if not findings or time.monotonic() - at > KEEP:
			findings = {**database.ask(site, conf), **servers.ask(conf)}
			_found[site] = time.monotonic(), findings
		return findings
