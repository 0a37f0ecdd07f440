"""An agent's circuit breaker: while what it calls is out of order, its steps wait instead of failing."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from dogan_agents.cluster.breaker import Breaker
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import TemporaryError
from dogan_agents.engine.healing import Kind
from tests.engine.healing import Nothing, of_kind
from tests.engine.world import step

pytestmark = pytest.mark.usefixtures("prompt_readings")

DOWN = threading.Event()
NUMBERS = itertools.count()


@action(title="Call a partner", pure=True)
def partner(context: Context, input: Nothing) -> dict:
	if DOWN.is_set():
		raise TemporaryError("the partner does not answer")
	return {}


@pytest.fixture(autouse=True)
def partner_is_up() -> Iterator[None]:
	DOWN.clear()
	yield
	DOWN.clear()


class TestBreaker:
	@pytest.fixture(autouse=True)
	def agent(self, world) -> None:
		world.add_actions(partner)
		world.db.execute("INSERT INTO `tabDogan Agent` (name, agent_name, enabled) VALUES ('bot', 'bot', 1)")

	def fail(self, world, count: int) -> list[str]:
		DOWN.set()
		wanted = step("a", action="partner", agent="bot", max_attempts=1)
		version = world.define(wanted, workflow=f"call-{next(NUMBERS)}")
		runs = world.start_many(version, [None] * count)
		world.drain()
		return runs

	def aged(self, world, seconds: float) -> None:
		"""As if all that the breaker remembers were so much older."""
		(text,) = world.db.query("SELECT breaker_memory FROM `tabDogan Agent`")[0]
		breaker, us = Breaker.decode(text), int(seconds * 1e6)
		older = Breaker(
			breaker.state, tuple(at - us for at in breaker.failed), breaker.until - us, breaker.opened
		)
		world.db.execute("UPDATE `tabDogan Agent` SET breaker_memory = %s", (older.encode(),))

	def state(self, world) -> str:
		return world.value("SELECT breaker FROM `tabDogan Agent`")

	def opened(self, world) -> None:
		self.fail(world, 10)
		assert self.state(world) == "Closed", "so fast that others may not know of it yet"
		self.aged(world, 5)
		self.fail(world, 1)
		assert self.state(world) == "Open"

	def test_it_opens_and_steps_wait_instead_of_failing(self, world):
		self.opened(world)
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 1, "Unknown")]
		(run,) = self.fail(world, 1)
		assert world.of_task(run, "a", "status", "attempt", "error_kind") == ("Waiting", 0, None)
		assert 20e6 < world.of_task(run, "a", "due") - world.now() < 35e6
		assert world.status(run) == "Waiting"

	def test_a_trial_that_goes_well_closes_it(self, world):
		self.opened(world)
		waiting = self.fail(world, 3)
		self.aged(world, 31)
		DOWN.clear()
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert self.state(world) == "Closed"
		assert world.value("SELECT breaker_memory IS NULL AND breaker_until IS NULL FROM `tabDogan Agent`")
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert {world.status(run) for run in waiting} == {"Completed"}
		world.sweep()
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 1, "Yes")]

	def test_one_step_tries_and_fails(self, world):
		self.opened(world)
		waiting = self.fail(world, 3)
		self.aged(world, 31)
		world.db.execute("UPDATE `tabDogan Task` SET due = 1 WHERE due > 0")
		world.sweep_and_drain()
		assert sorted(world.status(run) for run in waiting) == ["Failed", "Waiting", "Waiting"]
		assert self.state(world) == "Open"
		assert of_kind(world, Kind.AGENT_FAILING) == [("bot", 2, "Unknown")]

	def test_one_success_between_them(self, world):
		self.fail(world, 9)
		DOWN.clear()
		world.run(step("a", action="partner", agent="bot"), workflow="fine")
		assert world.value("SELECT breaker_memory IS NULL FROM `tabDogan Agent`")
		self.aged(world, 5)
		self.fail(world, 5)
		assert self.state(world) == "Closed"

	def test_other_failures_are_none_of_its_business(self, world):
		fault = step("a", action="fault", input={"kind": "permanent"}, agent="bot")
		world.start_many(world.define(fault), [None] * 20)
		world.drain()
		assert world.value("SELECT breaker_memory IS NULL FROM `tabDogan Agent`")

	def test_a_healthy_agent_costs_no_statement(self, world, monkeypatch):
		asked = []
		monkeypatch.setattr(world.host, "ended", lambda *args: asked.append(args))
		monkeypatch.setattr(world.host, "held_back", lambda *args: asked.append(args))
		world.run(step("a", action="partner", agent="bot"))
		assert asked == []
