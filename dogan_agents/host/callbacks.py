"""What steps left to be done after the commit or the rollback of the transaction they share."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import frappe

MANAGERS = ("before_commit", "after_commit", "before_rollback", "after_rollback")


@contextmanager
def taken_back_on_error() -> Iterator[None]:
	"""When the step inside fails, what it registered goes with it, and its rollback handlers run.

	A rollback to a savepoint takes back rows only: without this, a failed step's jobs would still be enqueued and
	its documents would stay in the cache.
	"""
	marks = {name: len(_functions(name)) for name in MANAGERS}
	try:
		yield
	except BaseException:
		left = {name: _cut(name, mark) for name, mark in marks.items()}
		for function in (*left["before_rollback"], *left["after_rollback"]):
			_call(function)
		raise


def commit() -> None:
	"""Commit; a callback that fails afterwards is logged, and the others still run: the work is done."""
	waiting = _functions("after_commit")
	after = list(waiting)
	waiting.clear()
	try:
		frappe.db.commit()
	except BaseException:
		waiting.extend(after)
		raise
	after.extend(waiting)
	waiting.clear()
	for function in after:
		_call(function)


def forget() -> None:
	"""The connection is gone and the transaction with it: what waited for its commit will not happen."""
	for name in MANAGERS:
		_functions(name).clear()


def registered(function: Callable[[], object]) -> bool:
	return function in _functions("after_commit")


def _functions(name: str) -> deque[Callable[[], object]]:
	functions: deque[Callable[[], object]] = getattr(frappe.db, name)._functions
	return functions


def _cut(name: str, mark: int) -> list[Callable[[], object]]:
	functions = _functions(name)
	cut = [functions.pop() for _ in range(len(functions) - mark)]
	return cut[::-1]


def _call(function: Callable[[], object]) -> None:
	try:
		function()
	except Exception:
		frappe.logger("dogan_agents").error("after the transaction", exc_info=True)
