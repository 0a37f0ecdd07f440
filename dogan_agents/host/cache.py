"""The site's cache, in the bench's Redis for caches; it knows what this transaction has changed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import frappe

from dogan_agents.cluster.cache import Cache, plain
from dogan_agents.cluster.cached import keep_answers
from dogan_agents.host.redis import impatient
from dogan_agents.host.tables import KEEP_SECONDS

ANSWER_SECONDS = 1.0
DEFAULT_TTL = 60

_of_site: dict[str, Cache] = {}
_ttls: dict[str, tuple[float, int]] = {}


@dataclass(frozen=True)
class Change:
	"""What counts from the commit on; without a key, all of the group has changed."""

	group: str
	key: str | None = None

	def __call__(self) -> None:
		_changes().discard(self)
		if self.key is None:
			shared_cache().clear(self.group)
		else:
			shared_cache().forget(self.group, self.key)


class SiteCache:
	"""What a transaction has changed, it reads for itself until it ends; the others hear of it after the commit."""

	def get(self, group: str, key: str, read: Callable[[], Any], ttl: float | None = None) -> Any:
		if _changes() & {Change(group, key), Change(group)}:
			return plain(group, read())
		return shared_cache().get(group, key, read, ttl)

	def forget(self, group: str, key: str) -> None:
		_after_commit(Change(group, key))

	def clear(self, group: str) -> None:
		_after_commit(Change(group))


def shared_cache() -> Cache:
	"""For who reads only what is committed."""
	site = frappe.local.site
	if site not in _of_site:
		_of_site[site] = Cache(impatient(frappe.cache, ANSWER_SECONDS), site, _default_ttl, _log)
	return _of_site[site]


def cached(ttl: float | None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	return keep_answers(SiteCache, ttl)


def _after_commit(change: Change) -> None:
	if change not in _changes():
		_changes().add(change)
		frappe.db.after_commit.add(change)
		frappe.db.after_rollback.add(partial(_changes().discard, change))


def _changes() -> set[Change]:
	if not hasattr(frappe.local, "dogan_changes"):
		frappe.local.dogan_changes = set()
	changes: set[Change] = frappe.local.dogan_changes
	return changes


def _default_ttl() -> int:
	"""As Dogan Settings has it, looked at now and then: not each request needs to ask."""
	site = frappe.local.site
	until, ttl = _ttls.get(site, (0.0, 0))
	if time.monotonic() > until:
		from dogan_agents.host.frappe import site_host

		ttl = site_host().settings().cache_ttl
		_ttls[site] = (time.monotonic() + KEEP_SECONDS, ttl)
	return ttl


def _log(message: str) -> None:
	frappe.logger("dogan_agents").error(message)
