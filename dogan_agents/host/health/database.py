"""What is asked of MariaDB: does it answer, has the site been migrated, does work get on?"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
from frappe.modules.patch_handler import get_patches_from_app

from dogan_agents.host.health.servers import TIMEOUT, Findings
from dogan_agents.host.site import NO_ZONE

CHECKS = ("database", "migrations", "queue")
KEEP_MIGRATED = 60.0  # seconds: what was migrated stays so
QUEUE_AGE = 3600  # seconds a pool's next task may have waited; dogan_ready_queue_age in the site's config
NO_TABLE = 1146

_migrated: dict[str, float] = {}


def forget() -> None:
	_migrated.clear()


def ask(site: str, conf: Mapping[str, Any]) -> Findings:
	findings = dict.fromkeys(CHECKS, "")
	check = "database"
	try:
		with _connection(conf) as cursor:
			cursor.execute("SELECT 1")
			check = "migrations"
			findings[check] = _pending(site, cursor)
			check = "queue"
			findings[check] = _late(cursor, int(conf.get("dogan_ready_queue_age", QUEUE_AGE)))
	except pymysql.err.MySQLError as error:
		known = error.args and isinstance(error.args[0], int)
		reason = f"MariaDB does not answer as it should (error {error.args[0] if known else 'unknown'})."
		for name in CHECKS[CHECKS.index(check) :]:
			findings[name] = reason
	return findings


@contextmanager
def _connection(conf: Mapping[str, Any]) -> Iterator[Any]:
	"""A new one: one that was opened earlier says nothing about whether MariaDB takes any more."""
	place: dict[str, Any] = (
		{"unix_socket": conf["db_socket"]}
		if conf.get("db_socket")
		else {"host": conf["db_host"], "port": int(conf["db_port"])}
	)
	tls = {name: conf.get(f"db_ssl_{name}") for name in ("ca", "cert", "key")}
	connection = pymysql.connect(
		**place,
		**({"ssl": tls} if all(tls.values()) else {}),
		user=conf["db_name"],
		password=conf["db_password"],
		database=conf["db_name"],
		charset="utf8mb4",
		connect_timeout=TIMEOUT,
		read_timeout=TIMEOUT,
		write_timeout=TIMEOUT,
	)
	try:
		with connection.cursor() as cursor:
			yield cursor
	finally:
		connection.close()


def _pending(site: str, cursor: Any) -> str:
	"""Patches in the code that runs here and not in the site's log."""
	if time.monotonic() - _migrated.get(site, -KEEP_MIGRATED) < KEEP_MIGRATED:
		return ""
	cursor.execute("SELECT defvalue FROM tabDefaultValue WHERE defkey = 'installed_apps' LIMIT 1")
	found = cursor.fetchone()
	try:
		wanted = {patch for app in json.loads((found and found[0]) or "[]") for patch in _patches(app)}
	except ImportError as error:
		return f"The site has an app that is not here: {error.name}."
	cursor.execute("SELECT patch FROM `tabPatch Log`")
	missing = wanted - {row[0] for row in cursor.fetchall()}
	if missing:
		return f"{len(missing)} patches have not been run: bench migrate."
	_migrated[site] = time.monotonic()
	return ""


@lru_cache(maxsize=64)
def _patches(app: str) -> frozenset[str]:
	return frozenset(patch.removeprefix("finally:") for patch in get_patches_from_app(app) if patch)


def _late(cursor: Any, limit: int) -> str:
	"""Pools that do not get on: the task whose turn it is has waited too long. Looked up by an index."""
	if not limit:
		return ""
	try:
		cursor.execute(
			"""SELECT p.name, (SELECT t.ready_at FROM `tabDogan Task` t WHERE t.pool = p.name AND t.ready_key > 0
			ORDER BY t.ready_key LIMIT 1) FROM `tabDogan Pool` p WHERE p.enabled = 1 AND EXISTS (SELECT 1 FROM
			tabSingles WHERE doctype = 'Dogan Settings' AND field = 'enabled' AND value = '1')"""
		)
	except pymysql.err.ProgrammingError as error:
		if error.args[0] == NO_TABLE:  # a site of the bench without this app
			return ""
		raise
	waiting = [(pool, ready_at) for pool, ready_at in cursor.fetchall() if ready_at]
	now = _now(cursor) if waiting else None
	ages = {pool: (now - ready_at).total_seconds() for pool, ready_at in waiting if now}
	late = [f"{pool} for {age:.0f} s" for pool, age in sorted(ages.items()) if age > limit]
	return f"Work has waited longer than {limit} s in the pool {', '.join(late)}." if late else ""


def _now(cursor: Any) -> datetime:
	"""As the site's users read it, without a zone, like the column."""
	cursor.execute("SELECT value FROM tabSingles WHERE doctype = 'System Settings' AND field = 'time_zone'")
	found = cursor.fetchone()
	zone = ZoneInfo((found and found[0]) or NO_ZONE)
	return datetime.now(timezone.utc).astimezone(zone).replace(tzinfo=None)
