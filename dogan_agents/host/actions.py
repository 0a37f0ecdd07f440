"""A site's actions, each imported when it is first asked for: ERPNext's modules take half a second."""

from collections.abc import Callable, Iterator, Mapping

import frappe

from dogan_agents.engine.action import Action, registry
from dogan_agents.engine.errors import ActionError

KEY = "dogan_actions"
KEEP_SECONDS = 3600


class SiteActions(Mapping[str, Action]):
	"""By name. Where each name is found is kept in the site's cache; a name that is not there is looked for anew."""

	def __init__(self, broken: Callable[[ActionError], object]):
		self.broken = broken
		self._paths: list[str] = frappe.get_hooks(KEY)
		self._loaded: dict[str, Action] = {}

	def __getitem__(self, name: str) -> Action:
		if name not in self._loaded:
			path = self._kept().get(name)
			self._loaded.update(registry([path] if path else [], self.broken))
		if name not in self._loaded:
			self._load_all()
		return self._loaded[name]

	def __iter__(self) -> Iterator[str]:
		self._load_all()
		return iter(self._loaded)

	def __len__(self) -> int:
		self._load_all()
		return len(self._loaded)

	def _kept(self) -> dict[str, str]:
		paths, places = frappe.cache.get_value(KEY, expires=True) or ([], {})
		return places if paths == self._paths else {}

	def _load_all(self) -> None:
		self._loaded, places = {}, {}
		for path in self._paths:
			found = registry([path], self.broken)
			self._loaded.update(found)
			places.update(dict.fromkeys(found, path))
		frappe.cache.set_value(KEY, (self._paths, places), expires_in_sec=KEEP_SECONDS)
