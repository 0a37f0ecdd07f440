import pytest

from dogan_agents.engine.limits import Limited, first_full

A, B = Limited("agent:a", 1), Limited("key:w.s:x", 2)


@pytest.mark.parametrize(
	("holders", "wanted", "full", "after"),
	[
		({}, [], None, {}),
		({"agent:a": set()}, [A], None, {"agent:a": {"me"}}),
		({"agent:a": {"me"}}, [A], None, {"agent:a": {"me"}}),
		({"agent:a": {"you"}}, [A], "agent:a", {"agent:a": {"you"}}),
		({"key:w.s:x": {"you"}}, [B], None, {"key:w.s:x": {"you", "me"}}),
		({"key:w.s:x": {"you", "he"}}, [B], "key:w.s:x", {"key:w.s:x": {"you", "he"}}),
		(
			{"agent:a": set(), "key:w.s:x": {"you", "he"}},
			[A, B],
			"key:w.s:x",
			{"agent:a": set(), "key:w.s:x": {"you", "he"}},
		),
	],
	ids=["unlimited", "free", "mine", "taken", "one left", "full", "all or none"],
)
def test_first_full(holders, wanted, full, after):
	assert first_full(holders, wanted, "me") == full
	assert holders == after
