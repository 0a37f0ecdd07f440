import pytest

from dogan_agents.engine.ports import ErrorKind as E
from dogan_agents.engine.retry import Decision, RetryPolicy, Verdict

POLICY = RetryPolicy(max_attempts=3, delay=4.0, max_delay=10.0)
AT_ONCE_FAILED = [E.PERMISSION, E.INPUT, E.PERMANENT, E.NOT_FOUND, E.VALIDATION]
CONTENTION = [E.DEADLOCK, E.LOCK_WAIT, E.CONFLICT, E.NAMING]
PARKED = [E.CLOSED_PERIOD, E.PERSON]
RETRIED = [E.TIMEOUT, E.CONNECTION, E.TEMPORARY, E.UNKNOWN, E.CRASH]


@pytest.mark.parametrize("attempt", [1, 2, 99])
@pytest.mark.parametrize("kind", AT_ONCE_FAILED)
def test_what_a_retry_cannot_help_fails_at_once(kind, attempt):
	assert POLICY.decide(kind, attempt) == Decision(Verdict.FAIL)


@pytest.mark.parametrize("attempt", [1, 99])
def test_what_a_person_must_do_is_asked_for(attempt):
	assert POLICY.decide(E.MANDATORY, attempt) == Decision(Verdict.FAIL, ask=True)
	for kind in PARKED:
		assert POLICY.decide(kind, attempt) == Decision(Verdict.PARK, ask=True)


@pytest.mark.parametrize("kind", RETRIED)
@pytest.mark.parametrize(
	("attempt", "chance", "decision"),
	[
		(1, 0.0, Decision(Verdict.RETRY, 2.0)),
		(1, 1.0, Decision(Verdict.RETRY, 4.0)),
		(2, 0.5, Decision(Verdict.RETRY, 6.0)),
		(3, 0.5, Decision(Verdict.FAIL)),
		(4, 0.5, Decision(Verdict.FAIL)),
	],
)
def test_the_rest_is_tried_again_later_and_later(kind, attempt, chance, decision):
	assert POLICY.decide(kind, attempt, chance) == decision


@pytest.mark.parametrize("kind", CONTENTION)
def test_contention_is_tried_again_soon_and_more_often(kind):
	decisions = [POLICY.decide(kind, attempt, 1.0) for attempt in range(1, 9)]
	assert [decision.delay for decision in decisions[:7]] == pytest.approx([0.05 * 2**n for n in range(7)])
	assert decisions[7].verdict is Verdict.FAIL


def test_every_kind_has_its_row():
	assert {*AT_ONCE_FAILED, *CONTENTION, *RETRIED, *PARKED, E.MANDATORY} == set(E)


def test_delays_end_somewhere():
	policy = RetryPolicy(max_attempts=10**6, delay=5)
	assert policy.decide(E.TEMPORARY, 10**5, 1.0).delay == 600


def test_the_jitter_is_random():
	assert len({POLICY.decide(E.TEMPORARY, 1).delay for _ in range(20)}) > 10
