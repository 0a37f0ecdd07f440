"""What is asked of the two Redis servers, each on a connection that is kept."""

from collections.abc import Mapping
from typing import Any

import redis
from frappe.utils import get_bench_path

Findings = dict[str, str]  # check → why it fails, "" when all is well

TIMEOUT = 1  # seconds for a server to answer

_redis: dict[str, redis.Redis] = {}


def ask(conf: Mapping[str, Any]) -> Findings:
	findings = {}
	for name in ("redis_cache", "redis_queue"):
		try:
			_client(name, conf).ping()
		except (redis.RedisError, OSError) as error:
			findings[name] = f"Redis does not answer as it should ({type(error).__name__})."
		else:
			findings[name] = ""
	return findings


def _client(name: str, conf: Mapping[str, Any]) -> redis.Redis:
	login = _login(conf) if name == "redis_queue" else {}
	if conf.get(f"{name}_sentinel_enabled"):
		return _by_sentinel(name, conf, login)
	url = str(conf[name])
	if url not in _redis:
		_redis[url] = redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, **login)
	return _redis[url]


def _login(conf: Mapping[str, Any]) -> dict[str, Any]:
	"""What frappe.utils.background_jobs.get_redis_conn takes."""
	if not conf.get("use_rq_auth"):
		return {}
	bench_id = conf.get("bench_id") or get_bench_path().strip("/").replace("/", "-")
	return {"username": conf.get("rq_username") or bench_id, "password": conf.get("rq_password")}


def _by_sentinel(name: str, conf: Mapping[str, Any], login: dict[str, Any]) -> redis.Redis:
	key = f"{name} by sentinel"
	if key not in _redis:
		master = {
			"username": conf.get(f"{name}_master_username", login.get("username")),
			"password": conf.get(f"{name}_master_password", login.get("password")),
		}
		sentinel = redis.Sentinel(
			[tuple(node.split(":")) for node in conf.get(f"{name}_sentinels", [])],
			sentinel_kwargs={
				"username": conf.get(f"{name}_sentinel_username"),
				"password": conf.get(f"{name}_sentinel_password"),
				"socket_timeout": TIMEOUT,
			},
			socket_timeout=TIMEOUT,
			**master,
		)
		_redis[key] = sentinel.master_for(conf.get(f"{name}_master_service"))
	return _redis[key]
