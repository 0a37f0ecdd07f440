"""Functions whose answers are kept for a while, for all nodes."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol

from dogan_agents.engine import payload


class Store(Protocol):
	def get(self, group: str, key: str, read: Callable[[], Any], ttl: float | None = None) -> Any: ...

	def forget(self, group: str, key: str) -> None: ...

	def clear(self, group: str) -> None: ...


def keep_answers(
	store: Callable[[], Store], ttl: float | None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
	"""A decorator: the arguments are the key, however they are given."""

	def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
		group = f"{function.__module__}.{function.__qualname__}"
		signature = inspect.signature(function)

		def key(args: Any, kwargs: Any) -> str:
			bound = signature.bind(*args, **kwargs)
			bound.apply_defaults()
			return payload.encode([bound.args, sorted(bound.kwargs.items())], f"An argument of {group}")

		@wraps(function)
		def answer(*args: Any, **kwargs: Any) -> Any:
			return store().get(group, key(args, kwargs), lambda: function(*args, **kwargs), ttl)

		def invalidate(*args: Any, **kwargs: Any) -> None:
			store().forget(group, key(args, kwargs))

		def clear() -> None:
			store().clear(group)

		answer.invalidate, answer.clear = invalidate, clear  # type: ignore[attr-defined]
		return answer

	return decorate
