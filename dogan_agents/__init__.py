from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
	from collections.abc import Callable

	from dogan_agents.cluster.lock import Lock

__version__ = "0.1.0"


def lock(name: str, ttl: float = 30, wait: float = 0) -> Lock:
	"""A lock that all nodes of the site share: `with dogan_agents.lock("till 3", wait=5) as lock:`.

	It lives for `ttl` seconds and is renewed while the block is at work. LockBusy when it is still held by somebody
	else after `wait` seconds; LockLost at the block's end when it was lost meanwhile.
	"""
	from dogan_agents.host.locks import site_locks

	return site_locks().lock(name, ttl, wait)


def cached(ttl: float | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""A decorator that keeps a function's answers for all nodes of the site, by its arguments.

	For `ttl` seconds (None = as Dogan Settings say), or until `function.invalidate(*args)` or `function.clear()`.
	"""
	from dogan_agents.host.cache import cached

	return cached(ttl)
