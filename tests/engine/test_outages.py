"""Redis or MariaDB was away, or came back empty: written down once, whoever notices."""

import threading

import pytest

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.healing import Kind
from dogan_agents.engine.lease import Every
from tests.engine.healing import Nothing, events, of_kind
from tests.engine.world import step, until

pytestmark = pytest.mark.usefixtures("prompt_readings")


class TestRedis:
	def test_it_was_wiped(self, world):
		world.sweep()
		world.sweep()
		assert events(world) == []
		world.host.redis.flushall()
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Wiped", "Redis", 1, "Yes")]

	def test_it_was_away_and_is_back(self, world, monkeypatch):
		world.sweep()
		with monkeypatch.context() as patch:
			patch.setattr(world.host.hands, "mark", lambda: 1 / 0)
			world.sweep()
			world.sweep()
			assert events(world) == []
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Lost", "Redis", 1, "Yes")]

	def test_it_was_away_and_came_back_empty(self, world, monkeypatch):
		world.sweep()
		with monkeypatch.context() as patch:
			patch.setattr(world.host.hands, "mark", lambda: 1 / 0)
			world.sweep()
		world.host.redis.flushall()
		world.sweep()
		world.sweep()
		assert events(world) == [("Redis Wiped", "Redis", 1, "Yes")]

	def test_a_site_from_before_there_was_a_mark(self, world):
		world.db.execute("DELETE FROM `tabDogan Lease` WHERE name = 'redis'")
		world.sweep()
		world.sweep()
		assert events(world) == []
		assert (
			world.value("SELECT holder FROM `tabDogan Lease` WHERE name = 'redis'") == world.host.hands.mark()
		)


class TestDatabase:
	def test_it_was_away_and_is_back(self, world, lab):
		world.db.query("SELECT 1")
		turns: list[int] = []
		host = world.another_host("n1")
		with Every(host, 0.02, lambda: turns.append(host.own.query("SELECT 1")[0][0])):
			until(lambda: turns)
			lab.stop_mariadb()
			lab.start_mariadb()
			seen = len(turns)
			until(lambda: len(turns) > seen + 3)
		world.db.reset()
		assert events(world) == [("Database Lost", "n1", 1, "Yes")]

	def test_a_drain_loses_its_connection(self, world):
		begun: list[str] = []

		@action(title="Cut off", pure=True)
		def cut_off(context: Context, input: Nothing) -> dict:
			if not begun:
				begun.append(context.task)
				world.host.work.query("SELECT 1")
				other = world.another_host()
				for number in (world.host.work.connection_id, world.db.connection_id):
					thread = threading.Thread(target=other.own.execute, args=(f"KILL {number}",))
					thread.start()
					thread.join()
			return {}

		world.add_actions(cut_off)
		run = world.start(world.define(step("a", action="cut_off")))
		world.drain()
		assert world.until(lambda: world.status(run) == "Completed")
		assert of_kind(world, Kind.DATABASE_LOST) == [("test", 1, "Yes")]
