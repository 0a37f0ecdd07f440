"""What to do about a step's error: a policy that returns a decision and touches nothing."""

import random
from dataclasses import dataclass
from enum import Enum

from dogan_agents.engine.ports import ErrorKind


class Verdict(str, Enum):
	RETRY = "retry"
	FAIL = "fail"
	PARK = "park"


@dataclass(frozen=True, slots=True)
class Decision:
	verdict: Verdict
	delay: float = 0.0  # seconds, with a retry
	ask: bool = False  # a person is told what is missing


@dataclass(frozen=True, slots=True)
class RetryPolicy:
	"""Exponential back-off with full jitter above a floor (Brooker, "Exponential Backoff And Jitter", AWS 2015)."""

	max_attempts: int = 3
	delay: float = 5.0  # seconds before the second attempt; doubled for each after it
	max_delay: float = 600.0

	def decide(self, kind: ErrorKind, attempt: int, chance: float | None = None) -> Decision:
		"""`attempt` counts from 1; `chance` in [0, 1) is the jitter, random when not given."""
		if kind in FAILS:
			return Decision(Verdict.FAIL)
		if kind in PARKS:
			return Decision(Verdict.PARK, ask=True)
		if kind in ASKS:
			return Decision(Verdict.FAIL, ask=True)
		if attempt >= self.max_attempts + (EXTRA if kind in CONTENTION else 0):
			return Decision(Verdict.FAIL)
		return Decision(
			Verdict.RETRY, self._delay(kind, attempt, random.random() if chance is None else chance)
		)

	def _delay(self, kind: ErrorKind, attempt: int, chance: float) -> float:
		base = 0.05 if kind in CONTENTION else self.delay
		ceiling = min(self.max_delay, base * 2 ** min(attempt - 1, 30))
		return ceiling * (0.5 + chance / 2)


CONTENTION = frozenset({ErrorKind.DEADLOCK, ErrorKind.LOCK_WAIT, ErrorKind.CONFLICT, ErrorKind.NAMING})
EXTRA = 5  # attempts on top, for contention that passes by itself
FAILS = frozenset(
	{ErrorKind.PERMISSION, ErrorKind.INPUT, ErrorKind.PERMANENT, ErrorKind.NOT_FOUND, ErrorKind.VALIDATION}
)
ASKS = frozenset({ErrorKind.MANDATORY})
PARKS = frozenset({ErrorKind.CLOSED_PERIOD, ErrorKind.PERSON})
