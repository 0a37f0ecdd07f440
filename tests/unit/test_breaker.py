"""The circuit breaker: pure decisions."""

import pytest

from dogan_agents.cluster.breaker import DEFAULT, OUTSIDE, Breaker, State, ask, tell
from dogan_agents.engine.ports import ErrorKind

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
DOWN = ErrorKind.TEMPORARY


NEW = Breaker()


def after(*events: tuple[float, ErrorKind | None], breaker: Breaker = NEW) -> Breaker:
	"""Steps that ended so many seconds after the start."""
	for at, kind in events:
		breaker = tell(breaker, [kind], START + int(at * SECOND))
	return breaker


def failures(count: int, every: float = 1.0, since: float = 0.0) -> list[tuple[float, ErrorKind]]:
	return [(since + n * every, DOWN) for n in range(count)]


@pytest.mark.parametrize(
	("events", "state"),
	[
		([], State.CLOSED),
		(failures(9), State.CLOSED),
		(failures(10), State.OPEN),
		([*failures(9), (9, None), *failures(9, since=10)], State.CLOSED),
		([*failures(9), (9, ErrorKind.VALIDATION), (10, DOWN)], State.CLOSED),
		(failures(10, every=66), State.OPEN),
		(failures(30, every=67), State.CLOSED),  # never ten within ten minutes
		(failures(10, every=0.1), State.CLOSED),  # too fast for others to have heard of it
		(failures(31, every=0.1), State.OPEN),
		([*failures(500, every=0.001), (3.5, DOWN)], State.OPEN),
		([*failures(500, every=0.001), (3.4, None), (3.5, DOWN)], State.CLOSED),
	],
)
def test_it_opens_when_enough_in_a_row_failed_within_the_time(events, state):
	assert after(*events).state is state


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_only_the_outside_opens_it(kind):
	found = after(*((n, kind) for n in range(10)))
	assert (found.state is State.OPEN) == (kind in OUTSIDE)


def test_steps_told_together_count_one_by_one():
	assert tell(Breaker(), [DOWN] * 9, START).failed == (START,) * 9
	assert tell(Breaker(), [DOWN] * 9 + [None], START) == Breaker()
	assert len(tell(Breaker(), [DOWN, None, DOWN, DOWN], START).failed) == 2


def test_it_forgets_what_it_does_not_need():
	assert len(after(*failures(500, every=0.001)).failed) == DEFAULT.failures


def open_at(at: float = 9.0) -> Breaker:
	return after(*failures(10, since=at - 9))


def at(seconds: float) -> int:
	return START + int(seconds * SECOND)


def test_while_it_is_open_steps_wait_and_what_ends_late_changes_nothing():
	breaker = open_at()
	assert ask(breaker, at(10)) == (29.0, breaker)
	assert after((10, None), (11, DOWN), breaker=breaker) == breaker


def test_after_the_cool_down_one_step_tries_and_the_others_wait_for_it():
	seconds, trial = ask(open_at(), at(39))
	assert (seconds, trial.state) == (0.0, State.HALF_OPEN)
	assert ask(trial, at(40)) == (DEFAULT.look_again, trial)
	assert ask(trial, at(39 + DEFAULT.trial - 1)) == (1.0, trial)
	assert ask(trial, at(39 + DEFAULT.trial))[0] == 0.0, "the trial was lost with its worker: another one"


@pytest.mark.parametrize("kind", [None, ErrorKind.VALIDATION])
def test_a_trial_that_reaches_the_outside_closes_it(kind):
	_, trial = ask(open_at(), at(39))
	assert after((40, kind), breaker=trial) == Breaker()


def test_each_trial_that_fails_doubles_the_cool_down_up_to_a_limit():
	breaker, now, waits = open_at(), at(9), []
	for _ in range(7):
		waits.append((breaker.until - now) / SECOND)
		now = breaker.until
		_, breaker = ask(breaker, now)
		breaker = tell(breaker, [DOWN], now)
	assert waits == [30, 60, 120, 240, 480, 480, 480]
	_, breaker = ask(breaker, breaker.until)
	assert tell(breaker, [None], breaker.until) == Breaker(), "and then it begins anew"


def test_it_never_holds_back_while_it_is_closed():
	breaker = after(*failures(9))
	assert ask(breaker, at(9)) == (0.0, breaker)


@pytest.mark.parametrize("breaker", [Breaker(), after(*failures(3)), open_at(), ask(open_at(), at(50))[1]])
def test_it_is_remembered(breaker):
	assert Breaker.decode(breaker.encode()) == breaker
	assert (breaker.encode() is None) == (breaker == Breaker())
