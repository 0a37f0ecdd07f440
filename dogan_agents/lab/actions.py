"""Actions of the lab: what the demo, the engine's tests and the benchmarks perform."""

import os
import signal
import tempfile
import time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dogan_agents.engine.action import Context, action
from dogan_agents.engine.errors import PermanentError, TemporaryError
from dogan_agents.host.lab import database


class Model(BaseModel):
	model_config = ConfigDict(extra="forbid")


class Trivial(Model):
	value: int = 0
	echo: Any = None


class Effect(Model):
	token: int = 0
	seconds: float = Field(0.0, ge=0, le=60)
	kilobytes: int = Field(0, ge=0, le=100_000)  # of a file that it writes for a moment


class Mail(Model):
	message_id: str
	sender_name: str = ""
	sender_address: str
	subject: str = ""


class Pause(Model):
	seconds: float = Field(0.0, ge=0, le=600)


class Fault(Model):
	kind: Literal["temporary", "permanent", "bug", "kill", "deadlock", "write and fail"]
	until_attempt: int = 0  # the fault happens on the attempts before this one; 0 = on each


@action(title="Trivial", pure=True)
def trivial(context: Context, input: Trivial) -> dict:
	"""Give back a number one larger, and whatever it was to echo."""
	return (
		{"value": input.value + 1} if input.echo is None else {"value": input.value + 1, "echo": input.echo}
	)


@action(title="Leave an effect")
def effect(context: Context, input: Effect) -> dict:
	"""Write a row that shows that this step was done; taking some time over it."""
	database.get().execute(
		"INSERT INTO lab_effect (task, step, token) VALUES (%s, %s, %s)",
		(context.task, context.step, input.token),
	)
	if input.kilobytes:
		with tempfile.TemporaryFile(dir=".") as file:
			file.write(bytes(input.kilobytes * 1024))
			file.flush()
	if input.seconds:
		time.sleep(input.seconds)
	return {"token": input.token}


@action(title="Lead from mail")
def lead(context: Context, input: Mail) -> dict:
	"""Make a lead of the sender, or match the one there is."""
	db = database.get()
	db.execute(
		"INSERT INTO lab_lead (email, lead_name, message_id) VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE email = email",
		(input.sender_address.lower(), input.sender_name, input.message_id),
	)
	(row,) = db.query(
		"SELECT id, message_id FROM lab_lead WHERE email = %s LOCK IN SHARE MODE",
		(input.sender_address.lower(),),
	)
	return {"lead": row[0], "made": row[1] == input.message_id}


@action(title="Queue a reply")
def reply(context: Context, input: Mail) -> dict:
	"""Queue an acknowledgement to the sender."""
	database.get().execute(
		"INSERT INTO lab_reply (message_id, recipient, subject) VALUES (%s, %s, %s)",
		(input.message_id, input.sender_address, f"Re: {input.subject}"),
	)
	return {"queued": True}


@action(title="Take a while outside", external=True)
def pause(context: Context, input: Pause) -> dict:
	"""Stand for a call to the outside: nothing but time."""
	time.sleep(input.seconds)
	return {"seconds": input.seconds}


@action(title="Go wrong")
def fault(context: Context, input: Fault) -> dict:
	"""Fail in the way that is asked for."""
	if input.until_attempt and context.attempt >= input.until_attempt:
		return {"attempt": context.attempt}
	if input.kind == "temporary":
		raise TemporaryError("out of order for a while")
	if input.kind == "permanent":
		raise PermanentError("out of order for good")
	if input.kind == "kill":
		os.kill(os.getpid(), signal.SIGKILL)
	if input.kind == "deadlock":
		database.get().execute(
			"SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'"
		)
	if input.kind == "write and fail":
		database.get().execute(
			"INSERT INTO lab_effect (task, step, token) VALUES (%s, %s, -1)", (context.task, context.step)
		)
	raise RuntimeError("a bug in the action")
