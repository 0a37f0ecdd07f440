"""The demo on a site: mail is pulled by IMAP, and leads come of it on two nodes, one of which is killed half-way.

`make demo-site`; the exit code is 1 when the counts do not tally, 2 when it cannot start. What it makes on the
site is taken away in the end, and before it begins. Nothing leaves the machine.
"""

import argparse
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import frappe
from frappe.utils.background_jobs import get_redis_conn
from rich.console import Console
from rq import Worker
from rq.job import Job

from dogan_agents.engine.sql import NOW, TASK, marks
from dogan_agents.host.frappe import sweep_tick
from dogan_agents.host.site import DrainHost
from dogan_agents.lab import site_flow, site_tally
from dogan_agents.lab.errors import LabError
from dogan_agents.lab.mail_server import HOST, MailServer
from dogan_agents.lab.mailbox import make_messages, read_message, written_by
from dogan_agents.lab.observe import Snapshot, observe
from dogan_agents.lab.outage import Outage
from dogan_agents.lab.ports import free_port, is_listening
from dogan_agents.lab.process import Server
from dogan_agents.lab.server import scratch_folder
from dogan_agents.lab.site_node import NOBODY, QUEUE_REDIS, SiteNode
from dogan_agents.lab.site_tally import Letter, SiteTally
from dogan_agents.lab.tally import Failover, measure_failover
from dogan_agents.lab.view import View, failover_rows, figure, steps, summary

TICK = 0.05
VIEW_SECONDS = 0.25
SWEEP_SECONDS = 1.0  # as a node process does; without one, the site's scheduler sweeps each minute
AT_ONCE = 100  # messages that Frappe takes from a mailbox in one pull
LOG_TAIL = 2000
PATIENCE = 300  # seconds after which it is over, whatever is still open
PULL = "frappe.email.doctype.email_account.email_account.pull_from_email_account"
PULL_QUEUE = "short"
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Options:
	messages: int = 200
	nodes: int = 2
	workers: int = 2
	seed: int = 1
	kill: bool = True
	keep: bool = False


class Demo:
	def __init__(self, options: Options, server: MailServer, nodes: Sequence[SiteNode], view: View):
		self.options, self.server, self.nodes, self.view = options, server, nodes, view
		self.host = DrainHost()
		self.letters = list(_letters(options))
		self.outage: Outage | None = None
		self.seconds = 0.0
		self.changed: list[str] = []  # by the second pull
		self._looked = self._swept = 0.0
		self._failed_over = False

	def run(self) -> None:
		self.view.say(f"{len(self.letters)} messages go into the mailbox of {self.server.address}")
		self.server.put(self.letters)
		began = time.monotonic()
		self._work_until_done(self._pull())
		self.seconds = time.monotonic() - began
		self._pull_again()

	def _pull(self) -> list[Job]:
		"""By Frappe's own job, in a worker that belongs to no node."""
		pulls = math.ceil(len(self.letters) / AT_ONCE)
		self.view.say(f"Frappe pulls them by IMAP, {AT_ONCE} at a time")
		return [frappe.enqueue(PULL, queue=PULL_QUEUE, email_account=site_flow.NAME) for _ in range(pulls)]

	def _work_until_done(self, pulls: list[Job]) -> None:
		while self.view.elapsed < PATIENCE:
			self._sweep()
			if time.monotonic() - self._looked > VIEW_SECONDS and self._look(pulls):
				return
			time.sleep(TICK)
		self.view.say(f"Not done after {PATIENCE} s: giving up")

	def _sweep(self) -> None:
		"""In place of the site's scheduler, which the demo has not."""
		if time.monotonic() - self._swept > SWEEP_SECONDS:
			self._swept = time.monotonic()
			sweep_tick()

	def _look(self, pulls: list[Job]) -> bool:
		"""Show how things are, and kill when it is time; True when all is done."""
		self._looked = time.monotonic()
		snapshot = observe(self.host.own, self.nodes, site_flow.NAME)
		self.view.show(snapshot.runs.total(), snapshot)
		self._expect_alive()
		if self.outage:
			self._notice_failover(snapshot)
		elif self.options.kill and snapshot.ended * 2 >= self.options.messages:
			self._kill()
		pulled = all(job.get_status() not in ("queued", "started") for job in pulls)
		return pulled and snapshot.ended == snapshot.runs.total() and not snapshot.running

	def _expect_alive(self) -> None:
		for node in self.nodes:
			if len(node.workers()) < node.size and not (self.outage and self.outage.node == node.name):
				raise LabError(f"A worker of {node.name} has ended by itself:\n{_tail(node.log)}")

	def _kill(self) -> None:
		"""SIGKILL for the node that has most in hand, if one has anything at this moment."""
		names = [node.name for node in self.nodes]
		busiest = self.host.own.query(
			f"SELECT node, {NOW} FROM {TASK} WHERE status = 'Running' AND workflow = %s AND node IN ({marks(names)}) "
			"GROUP BY node ORDER BY COUNT(*) DESC LIMIT 1",
			(site_flow.NAME, *names),
		)
		if not busiest:
			return
		name, at = busiest[0]
		processes = self.nodes[names.index(name)].kill()
		held = self.host.own.query(
			f"SELECT name FROM {TASK} WHERE status = 'Running' AND workflow = %s AND node = %s",
			(site_flow.NAME, name),
		)
		self.outage = Outage(name, at, processes, tuple(task for (task,) in held))
		self.view.say(f"SIGKILL for {name}: {processes} processes gone, with {steps(len(held))} in hand")

	def _notice_failover(self, snapshot: Snapshot) -> None:
		if not self._failed_over and not any(node.holds for node in snapshot.nodes if node.killed):
			self._failed_over = True
			self.view.say("Its leases have run out: what it had in hand is in the queue again")

	def _pull_again(self) -> None:
		before = _fingerprint()
		self.server.mark_unread()
		self.view.say("The same mailbox, all unread again, is pulled a second time")
		self._work_until_done(self._pull())
		after = _fingerprint()
		self.changed = [
			f"{what}: {before[what]} → {after[what]}" for what in before if before[what] != after[what]
		]

	def failover(self) -> Failover | None:
		if not self.outage:
			return None
		killed = int((self.host.local(self.outage.at) - EPOCH).total_seconds() * 1_000_000)  # as rows have it
		return measure_failover(self.host.own, self.outage.node, killed, self.outage.tasks)


def run(options: Options, console: Console | None = None) -> int:
	"""The exit code."""
	with ExitStack() as stack:
		scratch = stack.enter_context(scratch_folder())
		redis = stack.enter_context(_redis(scratch))
		stack.enter_context(_site(redis))
		site_flow.remove()
		if not options.keep:
			stack.callback(site_flow.remove)
		server = stack.enter_context(MailServer(site_flow.ADDRESS, scratch))
		site_flow.define(server).receive()  # of an empty mailbox: from now on Frappe knows what is new in it
		frappe.db.commit()
		post = SiteNode("post", 1, PULL_QUEUE, redis, scratch)
		nodes = [
			SiteNode(f"node-{number}", options.workers, site_flow.QUEUE, redis, scratch)
			for number in range(1, options.nodes + 1)
		]
		for node in (post, *nodes):
			stack.enter_context(node)
		view = stack.enter_context(View(options.messages, console))
		_wait_for_workers([post, *nodes])
		view.say(f"{len(nodes)} nodes of {options.workers} bench workers are there")
		demo = Demo(options, server, nodes, view)
		demo.run()
		failover, tally = demo.failover(), site_tally.count(map(Letter.read, demo.letters))
		demo.host.own.reset()
	faults = [
		*_faults(demo, failover),
		*tally.faults(options.messages),
	]
	view.console.print(summary(_rows(demo, tally, failover), faults))
	return 1 if faults else 0


def _letters(options: Options) -> Iterator[bytes]:
	"""The lab's messages, their senders in a domain of the demo's own."""
	for raw in make_messages(options.messages, options.seed):
		sender = read_message(raw)
		address = f"{sender.sender_address.removesuffix('.example')}.{site_flow.DOMAIN}"
		yield written_by(raw, "" if "@" in sender.sender_name else sender.sender_name, address)


@contextmanager
def _redis(scratch: Path) -> Iterator[str]:
	"""A queue Redis of the demo's own, so that no other worker of the bench takes its jobs."""
	program, port = shutil.which("redis-server"), free_port()
	if not program:
		raise LabError("There is no redis-server on this machine.")
	command = [program, "--port", str(port), "--bind", HOST, "--save", ""]
	server = Server("redis", command, scratch, lambda: is_listening((HOST, port)))
	server.start()
	try:
		yield f"redis://{HOST}:{port}/0"
	finally:
		server.stop()


@contextmanager
def _site(redis: str) -> Iterator[None]:
	bench, site = os.environ.get("DOGAN_BENCH"), os.environ.get("DOGAN_SITE")
	if not (bench and site):
		raise LabError("DOGAN_BENCH and DOGAN_SITE name no site: make demo-site sets them.")
	os.environ.pop("CI", None)  # in a worker it means in_test, which suppresses mail
	os.environ.update(NOBODY, **{QUEUE_REDIS: redis})
	os.chdir(Path(bench) / "sites")
	frappe.init(site)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		yield
	finally:
		frappe.destroy()


def _wait_for_workers(nodes: Sequence[SiteNode]) -> None:
	wanted, deadline = sum(node.size for node in nodes), time.monotonic() + 60
	while Worker.count(get_redis_conn()) < wanted:
		if time.monotonic() > deadline or not all(node.alive for node in nodes):
			raise LabError("The workers do not start:\n" + "\n".join(_tail(node.log) for node in nodes))
		time.sleep(TICK)


def _tail(log: Path) -> str:
	return log.read_text(errors="replace")[-LOG_TAIL:]


def _fingerprint() -> dict[str, int]:
	"""How much there is of everything that a message may lead to."""
	frappe.db.rollback()
	mine = {"email_account": site_flow.NAME}
	return {
		"Communications": frappe.db.count("Communication", mine),
		"unhandled mails": frappe.db.count("Unhandled Email", mine),
		"runs": frappe.db.count("Dogan Run", {"workflow": site_flow.NAME}),
		"leads": frappe.db.count("Lead", {"email_id": ("like", f"%{site_flow.DOMAIN}")}),
		"queued mails": frappe.db.count("Email Queue", mine),
		"records": frappe.db.count("ToDo", {"assigned_by": site_flow.USER}),
	}


def _faults(demo: Demo, failover: Failover | None) -> Iterator[str]:
	yield from (f"the second pull changed {what}" for what in demo.changed)
	if demo.options.kill and not demo.outage:
		yield "no node was killed: none had anything in hand"
	if failover and failover.taken != failover.steps:
		yield f"of the killed node, {steps(failover.steps - failover.taken)} not taken over"


def _rows(demo: Demo, tally: SiteTally, failover: Failover | None) -> list[tuple[str, str, str]]:
	put, changed = len(demo.letters), "changed something" if demo.changed else "changed nothing"
	rate = tally.steps / demo.seconds if demo.seconds else 0
	return [
		("Messages", str(put), f"pulled by IMAP; the second pull {changed}"),
		("Communications", str(tally.messages), f"{tally.unread} could not be read"),
		("Runs", str(tally.runs), f"{tally.completed} completed"),
		("Steps", str(tally.steps), f"in {demo.seconds:.1f} s, {rate:.0f} a second"),
		("Leads made", str(tally.made), f"{tally.leads} in ERPNext"),
		("Leads matched", str(tally.matched), "the sender was known"),
		("Replies queued", str(tally.queued), f"Email Queue; none to {tally.messages - tally.due} robots"),
		("Records", str(tally.records), "ToDo"),
		("Steps done twice", figure(tally.twice), "leads of an address, replies, records"),
		("Work lost", figure(tally.lost), "messages without run, lead, reply or record"),
		*failover_rows(failover),
		("A run, p50", f"{tally.p50:.2f} s", "from its message to its end"),
		("A run, p95", f"{tally.p95:.2f} s", ""),
	]


def main() -> int:
	try:
		return run(_options())
	except LabError as error:
		print(f"The demo cannot run. {error}", file=sys.stderr)
		return 2
	except KeyboardInterrupt:
		print("Stopped; nothing is left behind.", file=sys.stderr)
		return 130


def _options() -> Options:
	parser = argparse.ArgumentParser(prog="make demo-site", description=__doc__.partition("\n")[0])
	for option, text in (
		("messages", "how many to put into the mailbox"),
		("nodes", "how many to run"),
		("workers", "bench workers a node"),
		("seed", "another one makes other messages"),
	):
		default = getattr(Options, option)
		parser.add_argument(f"--{option}", type=int, default=default, help=f"{text} ({default})")
	parser.add_argument(
		"--kill", action=argparse.BooleanOptionalAction, default=True, help="kill a node half-way"
	)
	parser.add_argument("--keep", action="store_true", help="leave everything on the site, to be looked at")
	options = Options(**vars(parser.parse_args()))
	if options.kill and options.nodes < 2:
		parser.error("a node can only be killed when there is another one: give --no-kill, or more --nodes")
	return options


if __name__ == "__main__":
	sys.exit(main())
