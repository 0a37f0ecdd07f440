"""A time limit on what the main thread does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dogan_agents.engine.errors import StepTimeout


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
	"""Raise StepTimeout inside after `seconds`. Only the main thread can be interrupted; elsewhere there is no limit.

	It takes the process's interval timer, so jobs that run drains set none of their own (RQ: timeout -1).
	"""
	if not seconds or threading.current_thread() is not threading.main_thread():
		yield
		return

	def expire(signum: int, frame: FrameType | None) -> None:
		raise StepTimeout(f"The step ran longer than its time limit of {seconds:g} seconds.")

	before = signal.signal(signal.SIGALRM, expire)
	signal.setitimer(signal.ITIMER_REAL, seconds)
	try:
		yield
	finally:
		signal.setitimer(signal.ITIMER_REAL, 0)
		signal.signal(signal.SIGALRM, before)
