"""State that steps share, in the lab's MariaDB."""

import threading
import time

import pytest
from pydantic import BaseModel

from dogan_agents.cluster.state import Scope, State
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import InputError, PayloadError, StateError, TemporaryError
from dogan_agents.engine.sql import transaction
from dogan_agents.host.mariadb import MariaDB
from tests.engine.world import step


@pytest.fixture
def state(world) -> State:
	return world.host.state_of(Scope.RUN, "r1", "w", "ada@example.com")


@pytest.fixture
def elsewhere(world):
	"""The same state from another node, at Frappe's isolation."""
	host = world.another_host("other")
	state = host.state_of(Scope.RUN, "r1", "w", "bob@example.com")
	host.work.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	yield state
	host.work.rollback()
	host.work.reset()


def test_values(state):
	assert state.get("a") is None and state.get("a", 3) == 3 and state.read("a") == (None, 0)
	revision = state.set("a", {"b": [1, None]})
	assert state.read("a") == ({"b": [1, None]}, revision)
	assert state.set("a", None) == revision + 1
	assert state.get("a", 3) is None
	assert state.all() == {"a": None}
	assert state.delete("a") and not state.delete("a")
	assert state.all() == {}


def test_who_wrote_and_when(state, elsewhere, world):
	state.set("a", 1)
	elsewhere.set("a", 2)
	row = world.db.query("SELECT owner, modified_by, modified >= creation FROM `tabDogan State`")
	assert row == (("ada@example.com", "bob@example.com", 1),)


def test_runs_and_workflows_are_apart(state, world):
	other = world.host.state_of(Scope.RUN, "r2", "w", "ada@example.com")
	for number, each in enumerate((state, other, state.workflow)):
		each.set("a", number)
	assert (state.get("a"), other.get("a"), other.workflow.get("a")) == (0, 1, 2)
	with pytest.raises(StateError):
		_ = state.workflow.workflow


def test_what_is_rolled_back_was_never_there(state, elsewhere, world):
	state.set("a", 1)
	world.host.work.begin()
	state.set("a", 2)
	state.set("b", 2)
	state.delete("a")
	world.host.work.rollback()
	assert elsewhere.all() == {"a": 1}


def test_compare_and_set(state):
	assert not state.compare_and_set("a", 1, 7)
	assert state.read("a") == (None, 0) and state.all() == {}
	assert state.compare_and_set("a", 1, 0)
	assert not state.compare_and_set("a", 2, 0)
	_, revision = state.read("a")
	assert state.compare_and_set("a", 2, revision)
	assert not state.compare_and_set("a", 3, revision)
	assert state.get("a") == 2


def test_a_key_made_anew_has_another_revision(state):
	first = state.set("a", 1)
	state.delete("a")
	assert state.set("a", 1) > first
	assert not state.compare_and_set("a", 2, first)


def test_who_compares_sees_what_is_committed_and_not_his_snapshot(state, elsewhere):
	_, revision = state.read("a")
	elsewhere.db.begin()
	assert elsewhere.read("a") == (None, 0)
	state.set("a", 1)
	assert not elsewhere.compare_and_set("a", 2, revision)
	elsewhere.db.commit()
	assert state.get("a") == 1


def test_counting(state):
	assert [state.increment("a"), state.increment("a", 2), state.increment("a", -0.5)] == [1, 3, 2.5]
	state.set("b", "three")
	for key, by in (("b", 1), ("c", "1"), ("c", True)):
		with pytest.raises(StateError, match="is no number"):
			state.increment(key, by)
	assert state.all() == {"a": 2.5, "b": "three"}


def test_all_count_and_nobody_is_forgotten(world):
	def count(name: str) -> None:
		host = world.another_host(name)
		state = host.state_of(Scope.RUN, "r1", "w", name)
		host.work.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
		for _ in range(50):
			with transaction(host.work):
				state.get("n")
				state.increment("n")
		host.work.reset()

	threads = [threading.Thread(target=count, args=(f"node-{n}",)) for n in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert world.host.state_of(Scope.RUN, "r1", "w", "x").get("n") == 200


def test_who_writes_a_key_holds_it(state, elsewhere):
	state.db.begin()
	state.set("a", 1)
	written = threading.Thread(target=elsewhere.set, args=("a", 2))
	written.start()
	time.sleep(0.2)
	assert written.is_alive()
	state.db.commit()
	written.join(5)
	assert state.get("a") == 2


def test_what_is_no_value_and_no_key(state):
	with pytest.raises(PayloadError, match=r"The value of a is 1.00 MB"):
		state.set("a", "x" * 1_000_000)
	with pytest.raises(PayloadError, match="not JSON"):
		state.set("a", object())
	for key in ("", " ", "x" * 141, 3):
		with pytest.raises(InputError):
			state.get(key)
	assert state.all() == {}


class Nothing(BaseModel):
	pass


@action(title="Count")
def count(context: Context, input: Nothing) -> None:
	context.state.increment("steps")
	context.state.workflow.increment("steps")
	if context.state.workflow.get("steps") == 2 and context.attempt == 1:
		raise TemporaryError("once more")


@action(title="Pure", pure=True)
def pure(context: Context, input: Nothing) -> None:
	context.state.set("a", 1)


def test_steps_share_it_and_what_a_failed_step_wrote_is_gone(world):
	world.add_actions(count)
	version = world.define(
		step("a", action="count"), step("b", "a", action="count"), step("c", action="count")
	)
	runs = world.start_many(version, [None] * 3)
	world.until(lambda: {world.status(run) for run in runs} == {"Completed"})
	of_run = world.host.state_of(Scope.RUN, runs[0], "w", "x")
	assert of_run.all() == {"steps": 3} and of_run.workflow.all() == {"steps": 9}


def test_a_pure_step_has_none(world):
	world.add_actions(pure)
	run = world.run(step("a", action="pure"))
	assert "An action that is pure has no state" in world.of_task(run, "a", "error")


def test_a_transaction_of_its_own(world, state):
	"""Not only hosts: whoever has a connection."""
	db = MariaDB(world.host._parameters)
	with transaction(db):
		State(db, Scope.WORKFLOW, "w", user="x", today=state.today).set("a", 1)
	db.reset()
	assert state.workflow.get("a") == 1
