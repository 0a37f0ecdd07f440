"""A worker that is frozen in the middle of a transaction keeps its locks, but holds up nobody."""

import os
import signal
import time

from pydantic import BaseModel

from dogan_agents.engine import lease, limits
from dogan_agents.engine.action import Context, action
from dogan_agents.engine.lease import disconnect
from dogan_agents.engine.sql import NOW
from dogan_agents.host import tables
from dogan_agents.host.lab import LabHost, database
from tests.engine.world import step, until


class Nothing(BaseModel):
	pass


@action(title="Freeze while holding the run")
def freeze(context: Context, input: Nothing) -> dict:
	"""Leave an effect and lock the run; the first time, stop the whole process there."""
	db = database.get()
	db.execute("INSERT INTO lab_effect (task, step, token) VALUES (%s, %s, 0)", (context.task, context.step))
	db.query("SELECT name FROM `tabDogan Run` WHERE name = %s FOR UPDATE", (context.run["name"],))
	if context.attempt == 1:
		os.kill(os.getpid(), signal.SIGSTOP)
	return {}


def freeze_a_drain(world) -> int:
	"""The process of a drain that stands still in the middle of its step."""
	pid = os.fork()
	if not pid:
		try:
			world.drain(host=LabHost(world.config, "cold", world.actions))
		finally:
			os._exit(0)
	assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
	return pid


def test_the_locks_of_a_frozen_worker_are_taken_from_it_and_what_it_writes_later_is_refused(
	world, monkeypatch
):
	monkeypatch.setattr(lease, "LEASE_SECONDS", 0.5)
	monkeypatch.setattr(lease, "RENEW_SECONDS", 0.1)
	world.wait_for_age(2)
	world.add_actions(freeze)
	run = world.start(world.define(step("a", action="freeze"), step("b", "a")))
	pid = freeze_a_drain(world)
	try:
		assert until(lambda: world.sweep().reclaimed) == 1
		world.drain()
		assert world.status(run) == "Completed"
	finally:
		os.kill(pid, signal.SIGCONT)
	os.waitpid(pid, 0)
	assert world.effects() == {f"{run}-a": 1}
	assert world.of_task(run, "a", "attempt", "status") == (2, "Completed")


def test_a_number_from_before_a_restart_of_the_server_may_be_somebody_elses(world):
	other = LabHost(world.config, "other", world.actions)
	number = other.own.connection_id
	world.claim(1, "old")
	world.db.execute(
		"UPDATE `tabDogan Worker` SET connections = %s, expires = 1 WHERE name = 'old'", (str(number),)
	)
	assert disconnect(world.db, "old") == []
	assert other.own.query("SELECT CONNECTION_ID()") == ((number,),)


def test_only_the_dead_workers_connections_are_closed(world, monkeypatch):
	monkeypatch.setattr(lease, "LEASE_SECONDS", 0)
	world.wait_for_age(1)
	others = [LabHost(world.config, "other", world.actions).own for _ in range(2)]
	world.claim(1, "dead")
	world.db.execute(
		f"UPDATE `tabDogan Worker` SET connections = %s, expires = {NOW} - 1 WHERE name = 'dead'",
		(f"{others[0].connection_id},999999",),
	)
	assert disconnect(world.db, "dead") == [others[0].connection_id]
	assert others[1].query("SELECT 1") == ((1,),)


def test_who_freezes_in_a_transaction_of_the_engine_holds_up_nobody_for_long(world, monkeypatch):
	monkeypatch.setattr(tables, "IDLE_SECONDS", 1)
	frozen, other = world.another_host("frozen").own, world.another_host("other").own
	lease.prepare(other)
	frozen.begin()
	limits.lock(frozen)
	began = time.monotonic()
	other.begin()
	limits.lock(other)
	other.rollback()
	assert time.monotonic() - began < 5
	frozen.rollback()
	other.reset()
	frozen.reset()
