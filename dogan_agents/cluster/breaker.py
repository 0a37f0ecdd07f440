"""The circuit breaker of an agent: when what it calls is out of order, its steps wait instead of failing in turn.

Closed: it acts. Open: its steps wait. Half Open: one step tries, the others wait for how it ends. Pure decisions.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum

from dogan_agents.engine.ports import ErrorKind

OUTSIDE = frozenset({ErrorKind.TEMPORARY, ErrorKind.TIMEOUT, ErrorKind.CONNECTION, ErrorKind.UNKNOWN})
"""Kinds that say that the outside is out of order; any other kind comes from something that was reached."""


class State(str, Enum):
	CLOSED = "Closed"
	OPEN = "Open"
	HALF_OPEN = "Half Open"


@dataclass(frozen=True, slots=True)
class Policy:
	failures: int = 10  # in a row
	within: float = 600.0  # seconds from the first to the last of them
	settle: float = (
		3.0  # seconds since the first: by then every process knows of it and tells its successes, too
	)
	cool_down: float = 30.0  # seconds; doubled each time a trial fails
	longest: float = 480.0
	trial: float = 60.0  # seconds that a trial may take before another step tries
	look_again: float = 5.0  # seconds after which those who wait for the trial ask again


DEFAULT = Policy()


@dataclass(frozen=True, slots=True)
class Breaker:
	"""Times are µs of the database's clock."""

	state: State = State.CLOSED
	failed: tuple[int, ...] = ()  # the last ones in a row, the oldest first
	until: int = 0  # Open: when a trial may begin; Half Open: when the trial counts as lost
	opened: int = 0  # times in a row

	@classmethod
	def decode(cls, text: str | None) -> "Breaker":
		if not text:
			return cls()
		data = json.loads(text)
		return cls(State(data["state"]), tuple(data["failed"]), data["until"], data["opened"])

	def encode(self) -> str | None:
		"""None when there is nothing to remember."""
		return None if self == Breaker() else json.dumps(asdict(self))


def tell(breaker: Breaker, kinds: Sequence[ErrorKind | None], now: int, policy: Policy = DEFAULT) -> Breaker:
	"""What follows from how steps have ended, in order; None: well."""
	for kind in kinds:
		breaker = _failed(breaker, now, policy) if kind in OUTSIDE else _reached(breaker)
	return breaker


def _reached(breaker: Breaker) -> Breaker:
	"""While it is Open, that is the end of a step that began before."""
	return breaker if breaker.state is State.OPEN else Breaker()


def _failed(breaker: Breaker, now: int, policy: Policy) -> Breaker:
	if breaker.state is State.OPEN:
		return breaker
	recent = [at for at in breaker.failed if at > now - policy.within * 1e6]
	failed = (*recent, now)
	if breaker.state is State.HALF_OPEN:
		return _open(failed, breaker.opened + 1, now, policy)
	if len(failed) < policy.failures or now - failed[0] < policy.settle * 1e6:
		return Breaker(failed=(failed[0], *failed[1:][1 - policy.failures :]))
	return _open(failed, 1, now, policy)


def _open(failed: tuple[int, ...], opened: int, now: int, policy: Policy) -> Breaker:
	seconds = min(policy.longest, policy.cool_down * 2 ** min(opened - 1, 30))
	return Breaker(State.OPEN, failed[-policy.failures :], now + int(seconds * 1e6), opened)


def ask(breaker: Breaker, now: int, policy: Policy = DEFAULT) -> tuple[float, Breaker]:
	"""Seconds that a step must wait, and the breaker after it was let through: as the trial, once it is time."""
	if breaker.state is State.CLOSED:
		return 0.0, breaker
	if now >= breaker.until:
		return 0.0, Breaker(State.HALF_OPEN, breaker.failed, now + int(policy.trial * 1e6), breaker.opened)
	left = (breaker.until - now) / 1e6
	return (left if breaker.state is State.OPEN else min(left, policy.look_again)), breaker
