"""Whether this web node should get requests: /api/method/dogan_agents.api.health.live and .ready, for anybody.

Frappe opens a session before it calls them: without MariaDB, it answers 500 by itself, and in maintenance mode
503. Where the process serves dogan_agents.api.wsgi, both are answered in time and truly whatever is away.
"""

from http import HTTPStatus

import frappe

from dogan_agents.host.health import report


@frappe.whitelist(allow_guest=True, methods=["GET"])
def live() -> None:
	"""The process answers: `{"ok": true}`. Where it does not, restart it."""
	frappe.response.update(report.live())


@frappe.whitelist(allow_guest=True, methods=["GET"])
def ready(queue: bool = True) -> None:
	"""200 when requests should come here, else 503; `checks` says why, each `{"ok": …, "reason": …}`.

	With `?queue=0`, work that waits too long is no reason: it would take every web node out at once.
	"""
	told = report.ready(frappe.local.conf, queue)
	if not told["ok"]:
		frappe.response["http_status_code"] = HTTPStatus.SERVICE_UNAVAILABLE.value
	frappe.response.update(told)
