"""What happened on the site, read from ERPNext's own tables and held against the messages that were put in."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import frappe

from dogan_agents.engine import payload
from dogan_agents.lab.message import read_message
from dogan_agents.lab.site_flow import LEAD, NAME
from dogan_agents.lab.tally import quantile
from dogan_agents.mail.automatic import looks_automatic, says_automatic


@dataclass(frozen=True, slots=True)
class Letter:
	"""A message as it was put into the mailbox."""

	message_id: str  # without its brackets, as Frappe keeps it
	sender: str
	automatic: bool

	@classmethod
	def read(cls, raw: bytes) -> "Letter":
		message = read_message(raw)
		says = says_automatic(message_from_bytes(raw))
		automatic = says or looks_automatic(message.sender_address, message.subject)
		return cls(message.message_id.strip("<>"), message.sender_address, automatic)


@dataclass
class SiteTally:
	messages: int = 0
	unread: int = 0  # Unhandled Email
	runs: int = 0
	completed: int = 0
	leads: int = 0
	made: int = 0
	matched: int = 0
	replies: int = 0
	queued: int = 0
	due: int = 0  # replies that are owed
	records: int = 0
	steps: int = 0
	twice: list[str] = field(default_factory=list)
	lost: list[str] = field(default_factory=list)
	p50: float = 0.0
	p95: float = 0.0

	def faults(self, put: int) -> Iterator[str]:
		if self.messages + self.unread != put:
			yield f"{put} messages were put into the mailbox, {self.messages + self.unread} arrived"
		if self.runs != self.messages:
			yield f"{self.messages} messages have {self.runs} runs"
		if self.completed != self.runs:
			yield f"{self.runs - self.completed} runs are not completed"
		if self.made != self.leads:
			yield f"{self.made} leads were made, {self.leads} are there"
		if self.made + self.matched != self.messages:
			yield f"{self.messages} messages want a lead, {self.made + self.matched} made or matched one"
		if not self.replies == self.queued == self.due:
			yield f"{self.due} replies are due, {self.replies} were written, {self.queued} are queued"
		yield from (f"done twice: {what}" for what in self.twice)
		yield from (f"lost: {what}" for what in self.lost)


def count(letters: Iterable[Letter]) -> SiteTally:
	frappe.db.rollback()  # else the snapshot stays what it was
	found = _Found.read()
	tally = SiteTally(
		messages=len(found.mail),
		unread=len(found.unread),
		runs=len(found.runs),
		completed=sum(run.status == "Completed" for run in found.runs),
		leads=found.leads.total(),
		made=sum(lead["made"] for lead in found.made_or_matched),
		matched=sum(not lead["made"] for lead in found.made_or_matched),
		replies=found.replies.total(),
		queued=frappe.db.count("Email Queue", {"email_account": NAME}),
		records=found.records.total(),
		steps=frappe.db.count("Dogan Task", {"workflow": NAME, "status": ("in", ("Completed", "Skipped"))}),
		twice=list(found.twice()),
	)
	for letter in letters:
		if letter.message_id in found.unread:
			continue
		tally.due += not letter.automatic
		tally.lost += [f"{letter.message_id} {fault}" for fault in found.faults(letter)]
	durations = [(run.ended_at - run.creation).total_seconds() for run in found.runs if run.ended_at]
	tally.p50, tally.p95 = quantile(durations, 0.5), quantile(durations, 0.95)
	return tally


@dataclass(frozen=True, slots=True)
class _Found:
	"""The rows, by what they belong to."""

	mail: dict[str, Any]  # Communications, by message id
	unread: set[str]  # the message ids of what Frappe could not read
	runs: list[Any]
	made_or_matched: list[dict[str, Any]]  # what the steps say
	leads: Counter[str]  # by address
	replies: Counter[str]  # by the Communication that is answered
	records: Counter[str]  # by the Communication

	@classmethod
	def read(cls) -> "_Found":
		mail = _all(
			"Communication", {"email_account": NAME, "sent_or_received": "Received"}, "message_id", "sender"
		)
		names = [row.name for row in mail]
		outputs = _all("Dogan Task", {"workflow": NAME, "step": LEAD, "status": "Completed"}, "output")
		return cls(
			mail={row.message_id: row for row in mail},
			unread={
				row.message_id.strip("<>")
				for row in _all("Unhandled Email", {"email_account": NAME}, "message_id")
			},
			runs=_all("Dogan Run", {"workflow": NAME}, "status", "reference_name", "creation", "ended_at"),
			made_or_matched=[lead for row in outputs if (lead := payload.loads(row.output))["lead"]],
			leads=_count("Lead", "email_id", [row.sender for row in mail]),
			replies=_count("Communication", "in_reply_to", names, sent_or_received="Sent"),
			records=_count("ToDo", "reference_name", names),
		)

	def twice(self) -> Iterator[str]:
		for kind, counter in (("lead", self.leads), ("reply", self.replies), ("record", self.records)):
			yield from (f"{kind} of {what}" for what, number in counter.items() if number > 1)

	def faults(self, letter: Letter) -> Iterator[str]:
		"""What is missing of a letter's work, or wrong."""
		message = self.mail.get(letter.message_id)
		if not message:
			yield "is not there"
			return
		runs = [run for run in self.runs if run.reference_name == message.name]
		if [run.status for run in runs] != ["Completed"]:
			yield f"has not one completed run, but {[run.status for run in runs]}"
		if message.sender != letter.sender or not self.leads[letter.sender]:
			yield "has no lead"
		if not self.records[message.name]:
			yield "is not recorded"
		if bool(self.replies[message.name]) == letter.automatic:
			yield "has a reply that is not due" if letter.automatic else "has no reply"


def _all(doctype: str, filters: dict[str, Any], *fields: str) -> list[Any]:
	return frappe.get_all(doctype, filters, ["name", *fields], order_by="name")  # type: ignore[no-any-return]


def _count(doctype: str, key: str, values: list[str], **filters: Any) -> Counter[str]:
	"""How many documents there are for each of the values."""
	return Counter(row[key] for row in _all(doctype, {key: ("in", values), **filters}, key))
