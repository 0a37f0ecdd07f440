"""Healing events: the same within an hour counts up, people are told, and later it is seen whether it helped."""

import threading

import pytest

from dogan_agents.engine.healing import Helped, Kind, Watch, What
from dogan_agents.host import healing
from tests.engine.healing import EVENT, events, expire, later, of_kind
from tests.engine.world import step

pytestmark = pytest.mark.usefixtures("prompt_readings")


class TestGrouping:
	def mend(self, world, subject: str = "n1", **options) -> None:
		world.host.healed(Kind.NODE_LATE, subject, "seen", "done", **options)

	def test_the_same_within_an_hour_counts(self, world):
		for subject in ("n1", "n1", "n2"):
			self.mend(world, subject)
		assert sorted(of_kind(world, Kind.NODE_LATE)) == [("n1", 2, "Unknown"), ("n2", 1, "Unknown")]

	def test_after_an_hour_it_is_another_event(self, world):
		self.mend(world)
		later(world, 59)
		self.mend(world)
		assert len(events(world)) == 1
		# 61 minutes after the first one; its name is that of an hour that is over
		later(world, 2)
		world.db.execute(f"UPDATE {EVENT} SET name = CONCAT(SUBSTRING_INDEX(name, '-', 1), '-0')")
		self.mend(world)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(2,), (1,)]

	def test_who_else_notices_the_same_does_not_count(self, world):
		for _ in range(3):
			self.mend(world, same_for=30.0)
		later(world, 1)
		self.mend(world, same_for=30.0)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(2,)]

	def test_many_at_once_are_one_event(self, world):
		together = threading.Barrier(8)

		def mend() -> None:
			host = world.another_host()
			together.wait()
			for _ in range(5):
				host.healed(Kind.NODE_LATE, "n1", "seen", "done")
			host.own.reset()

		threads = [threading.Thread(target=mend) for _ in range(8)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(30)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(40,)]

	def test_people_are_told_once_an_hour(self, world, monkeypatch):
		alarms = []
		monkeypatch.setattr(world.host, "raise_alarm", lambda db, alarm: alarms.append(alarm))
		for _ in range(25):
			self.mend(world)
			world.host.healed(Kind.DEADLOCK, "default", "seen", "done")
		assert [(alarm.kind, alarm.subject, alarm.count) for alarm in alarms] == [("Node Late", "n1", 10)]

	def test_what_cannot_be_written_is_only_logged(self, world):
		world.db.execute(f"ALTER TABLE {EVENT} RENAME TO hidden")
		try:
			self.mend(world)
			run = world.start(world.define(step("a")))
			world.claim(1, "mortal")
			expire(world, "Worker")
			assert world.sweep().reclaimed == 1
			world.drain()
			assert world.status(run) == "Completed"
		finally:
			world.db.execute(f"ALTER TABLE hidden RENAME TO {EVENT}")
		assert events(world) == []
		assert any("doesn't exist" in line for line in world.logged)

	def test_a_lost_connection_while_writing_is_replaced(self, world):
		number = world.db.connection_id
		other = world.another_host()
		killer = threading.Thread(target=lambda: other.own.execute(f"KILL {number}"))
		killer.start()
		killer.join()
		self.mend(world)
		self.mend(world)
		assert of_kind(world, Kind.NODE_LATE, "count") == [(1,)]

	def test_a_long_text_is_cut(self, world):
		world.host.healed(Kind.NODE_LATE, "n" * 300, "s" * 70_000, "d" * 70_000)
		assert of_kind(world, Kind.NODE_LATE, "length(subject)", "length(seen)") == [(140, healing.LONGEST)]


class TestHelped:
	def helped(self, world, watch: Watch) -> str:
		world.host.healed(Kind.NODE_LATE, "n1", "seen", "done", watch=watch)
		world.host.look_back()
		return str(of_kind(world, Kind.NODE_LATE, "helped")[0][0])

	@pytest.mark.parametrize(
		("watch", "helped"),
		[
			(Watch(What.TASKS, ("no such task",)), Helped.YES),
			(Watch(What.POOL, ("default",)), Helped.YES),
			(Watch(What.NODE, ("no such node",)), Helped.NO),
			(Watch(What.LEFT, ("no such node",)), Helped.YES),
			(Watch(What.AGENT, ("no such agent",)), Helped.UNKNOWN),
		],
	)
	def test_what_is_there_no_more(self, world, watch, helped):
		assert self.helped(world, watch) == helped.value

	def test_after_an_hour_nobody_looks_any_more(self, world):
		world.host.healed(Kind.NODE_LATE, "n1", "seen", "done", watch=Watch(What.POOL, ("default",)))
		later(world, 61)
		world.host.look_back()
		assert of_kind(world, Kind.NODE_LATE, "helped") == [("Unknown",)]
