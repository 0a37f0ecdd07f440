"""Frappe's web application for a node behind a balancer: gunicorn dogan_agents.api.wsgi:application.

It answers `live` and `ready` before Frappe opens a session, so that they tell the truth while MariaDB is away or
the site is in maintenance. A request that fails because the node has lost MariaDB or Redis gets 502 in place of
500: to a balancer, 500 is the page's fault and 502 the node's.
"""

import json
import logging
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import frappe
import pymysql
import redis
from frappe.app import application as frappe_application

from dogan_agents.host.health import report

BASE = "/api/method/dogan_agents.api.health."
SITES = os.environ.get("SITES_PATH", ".")
LOST = (pymysql.err.OperationalError, pymysql.err.InterfaceError, redis.exceptions.ConnectionError)
NO = ("0", "false")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
	path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD")
	if method in ("GET", "HEAD") and path == BASE + "live":
		return _answer(start_response, HTTPStatus.OK, report.live())
	if method in ("GET", "HEAD") and path == BASE + "ready":
		return _ready(environ, start_response)
	try:
		return frappe_application(environ, start_response)  # type: ignore[no-any-return]
	except LOST:
		logging.getLogger("gunicorn.error").exception("%s %s", method, path)
		frappe.destroy()
		return _answer(
			start_response,
			HTTPStatus.BAD_GATEWAY,
			{"ok": False, "reason": "This node has lost its database."},
		)


def _ready(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
	site = _site(environ)
	if not site:
		return _answer(
			start_response, HTTPStatus.NOT_FOUND, {"ok": False, "reason": "There is no such site here."}
		)
	conf = frappe.get_site_config(SITES, os.path.join(SITES, site))
	queue = parse_qs(environ.get("QUERY_STRING", "")).get("queue", ["1"])[-1] not in NO
	told = report.ready(conf, queue)
	return _answer(start_response, HTTPStatus.OK if told["ok"] else HTTPStatus.SERVICE_UNAVAILABLE, told)


def _site(environ: Environ) -> str:
	"""The site that Frappe would serve, if there is one."""
	host = environ.get("HTTP_HOST", "").partition(":")[0]
	name = environ.get("HTTP_X_FRAPPE_SITE_NAME") or host
	is_name = name and os.path.basename(name) == name
	return name if is_name and os.path.exists(os.path.join(SITES, name, "site_config.json")) else ""


def _answer(start_response: StartResponse, status: HTTPStatus, told: dict[str, Any]) -> Iterable[bytes]:
	body = json.dumps(told).encode()
	start_response(
		f"{status.value} {status.phrase}",
		[
			("Content-Type", "application/json"),
			("Content-Length", str(len(body))),
			("Cache-Control", "no-store"),
		],
	)
	return [body]
