"""The demo's workflow, and the mailbox that is fed to it."""

from dataclasses import dataclass
from typing import Any

from dogan_agents.engine import runs
from dogan_agents.engine.clock import DatabaseClock
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.mailbox import read_message
from dogan_agents.lab.workflows import define

WORKFLOW = "mail to lead"
USER = "lab@lab.example"

IS_PERSON = "steps.triage.output.echo == 'person'"
TRIAGE = (
	"{{ 'nobody' if not input.sender_address"
	" else 'robot' if 'noreply' in input.sender_address or input.sender_address.startswith('mailer-daemon')"
	" else 'person' }}"
)
IS_PERSON_SQL = (
	"(m.sender_address <> '' AND m.sender_address NOT LIKE '%noreply%'"
	" AND m.sender_address NOT LIKE 'mailer-daemon%')"
)
"""The same rule once more, in SQL: the tally must not trust what it checks. No parameters go with it."""

MAIL = {
	field: f"{{{{ input.{field} }}}}" for field in ("message_id", "sender_name", "sender_address", "subject")
}
LONGEST_STEP = "look_up"
DEFINITION: dict[str, Any] = {
	"workflow": WORKFLOW,
	"steps": [
		{"step": "triage", "action": "trivial", "input": {"echo": TRIAGE}},
		{"step": LONGEST_STEP, "action": "pause", "depends_on": ["triage"], "input": {"seconds": 0.12}},
		{"step": "lead", "action": "lead", "depends_on": ["triage"], "condition": IS_PERSON, "input": MAIL},
		{
			"step": "reply",
			"action": "reply",
			"depends_on": [LONGEST_STEP, "lead"],
			"condition": IS_PERSON,
			"input": MAIL,
		},
		{"step": "record", "action": "effect", "depends_on": ["reply"], "input": {"seconds": 0.03}},
	],
}


@dataclass(slots=True)
class Fed:
	messages: int = 0
	again: int = 0  # fed a second time
	runs_of_again: int = 0  # runs that a second time has started


class Mailbox:
	"""Feeds messages as an Email Account would: the message and its run in one transaction, the wake-up after it."""

	def __init__(self, host: LabHost):
		self.host, self.clock, self.fed = host, DatabaseClock(), Fed()
		self.version = define(host, host.own, DEFINITION)

	def feed(self, raw: bytes) -> None:
		self.fed.messages += 1
		self._feed(raw)

	def feed_again(self, raw: bytes) -> None:
		self.fed.again += 1
		self.fed.runs_of_again += self._feed(raw)

	def _feed(self, raw: bytes) -> bool:
		message, db = read_message(raw), self.host.own
		db.begin()
		try:
			db.execute(
				"INSERT INTO lab_message (message_id, sender_name, sender_address, subject, text) "
				"VALUES (%s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE message_id = message_id",
				(
					message.message_id,
					message.sender_name,
					message.sender_address,
					message.subject,
					message.text,
				),
			)
			request = runs.StartRequest(
				self.version,
				USER,
				{field: getattr(message, field) for field in MAIL},
				idempotency_key=message.message_id,
				trigger="mail",
			)
			started = runs.start(self.host, db, request, self.clock.now(db))
			db.execute(
				"UPDATE lab_message SET run = %s WHERE message_id = %s", (started.run, message.message_id)
			)
			db.commit()
		except BaseException:
			db.rollback()
			raise
		self.host.hands.wake("default")
		return started.created
