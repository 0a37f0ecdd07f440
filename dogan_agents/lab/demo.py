"""The demo: real mail becomes leads on three nodes, one of which is killed half-way.

`python -m dogan_agents.lab.demo`; the exit code is 1 when the counts do not tally, 2 when it cannot start.
"""

import argparse
import random
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rich.console import Console

from dogan_agents.host.lab import LabHost
from dogan_agents.lab.errors import LabError
from dogan_agents.lab.mail_to_lead import LONGEST_STEP, Fed, Mailbox
from dogan_agents.lab.mailbox import make_messages
from dogan_agents.lab.node import Node
from dogan_agents.lab.observe import Snapshot, observe
from dogan_agents.lab.outage import Outage, strike
from dogan_agents.lab.pools import define_pools
from dogan_agents.lab.schema import create_schema
from dogan_agents.lab.server import LabServers
from dogan_agents.lab.tally import Failover, count, measure_failover
from dogan_agents.lab.view import View, report, steps

MESSAGES_A_SECOND = 25
TWICE = 0.1  # the share of messages that are fed a second time
LATER = 7  # messages after the first time
TICK = 0.02
VIEW_SECONDS = 0.25
LOG_TAIL = 2000
PATIENCE = 100  # seconds after which it is over, whatever is still open


@dataclass(frozen=True)
class Options:
	messages: int = 200
	nodes: int = 3
	workers: int = 2
	seed: int = 1
	kill: bool = True


class Demo:
	def __init__(self, options: Options, host: LabHost, nodes: Sequence[Node], view: View):
		self.options, self.host, self.nodes, self.view = options, host, nodes, view
		self.mailbox = Mailbox(host)
		self.outage: Outage | None = None
		self._post = deque(_post(options))
		self._opened = 0.0
		self._looked = 0.0
		self._may_kill = False
		self._waits_for_failover = False

	def run(self) -> None:
		"""When the nodes are there, feed, watch and kill until every run has ended."""
		while self.view.elapsed < PATIENCE:
			if self._opened:
				self._feed()
			if self._may_kill:
				self._kill()
			if time.monotonic() - self._looked > VIEW_SECONDS and self._look():
				return
			time.sleep(TICK)
		self.view.say(f"Not done after {PATIENCE} s: giving up")

	@property
	def seconds(self) -> float:
		"""Since the mailbox was opened."""
		return time.monotonic() - self._opened

	def _feed(self) -> None:
		due = int(self.seconds * MESSAGES_A_SECOND)
		while self._post and self.mailbox.fed.messages < due:
			raw, again = self._post.popleft()
			self.mailbox.feed_again(raw) if again else self.mailbox.feed(raw)

	def _look(self) -> bool:
		"""Show how things are; True when all is done."""
		self._looked = time.monotonic()
		self._expect_alive()
		snapshot = observe(self.host.own, self.nodes)
		self.view.show(self.mailbox.fed.messages, snapshot)
		self._open(snapshot)
		self._notice_failover(snapshot)
		half = snapshot.ended * 2 >= self.options.messages
		self._may_kill = self.options.kill and half and not self.outage
		return not self._post and snapshot.ended >= self.options.messages and not snapshot.running

	def _expect_alive(self) -> None:
		for node in self.nodes:
			if not node.alive and not (self.outage and self.outage.node == node.name):
				raise LabError(f"{node.name} has ended by itself:\n{node.log.read_text()[-LOG_TAIL:]}")

	def _open(self, snapshot: Snapshot) -> None:
		if not self._opened and all(node.workers == node.size for node in snapshot.nodes):
			self._opened = time.monotonic()
			self.view.say(f"{len(self.nodes)} nodes are there; the mailbox opens")

	def _kill(self) -> None:
		self.outage = strike(self.host.own, self.nodes, LONGEST_STEP)
		if self.outage:
			self._may_kill, self._waits_for_failover = False, True
			gone, held = self.outage.processes, steps(len(self.outage.tasks))
			self.view.say(f"SIGKILL for {self.outage.node}: {gone} processes gone, with {held} in hand")

	def _notice_failover(self, snapshot: Snapshot) -> None:
		if self._waits_for_failover and not any(node.holds for node in snapshot.nodes if node.killed):
			self._waits_for_failover = False
			self.view.say("Its leases have run out: what it had in hand is in the queue again")


def _post(options: Options) -> Iterator[tuple[bytes, bool]]:
	"""Every message, and some of them again a little later (True): a mailbox may be read twice."""
	choice = random.Random(options.seed)
	messages = list(make_messages(options.messages, options.seed))
	again = set(choice.sample(range(len(messages)), round(len(messages) * TWICE)))
	late: deque[tuple[int, bytes]] = deque()
	for number, raw in enumerate(messages):
		yield raw, False
		if number in again:
			late.append((number + LATER, raw))
		if late and late[0][0] <= number:
			yield late.popleft()[1], True
	yield from ((raw, True) for _, raw in late)


def run(options: Options, console: Console | None = None) -> int:
	"""The exit code."""
	with ExitStack() as stack:
		lab = stack.enter_context(LabServers())
		with lab.config.connect() as connection:
			create_schema(connection)
		host = LabHost(lab.config, "demo")
		define_pools(host.own)
		names = [f"node-{number}" for number in range(1, options.nodes + 1)]
		nodes = [stack.enter_context(Node(lab.config, name, options.workers)) for name in names]
		view = stack.enter_context(View(options.messages, console))
		demo = Demo(options, host, nodes, view)
		demo.run()
		seconds = demo.seconds
		outage = demo.outage
		failover = measure_failover(host.own, outage.node, outage.at, outage.tasks) if outage else None
		tally = count(host.own)
	fed = demo.mailbox.fed
	faults = [*_faults(options, fed, failover), *tally.faults(fed)]
	view.console.print(report(tally, fed, seconds, failover, faults))
	return 1 if faults else 0


def _faults(options: Options, fed: Fed, failover: Failover | None) -> Iterator[str]:
	if fed.messages != options.messages:
		yield f"{fed.messages} of {options.messages} messages were fed"
	if failover and failover.taken != failover.steps:
		yield f"of the killed node, {steps(failover.steps - failover.taken)} not taken over"


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
	parser = argparse.ArgumentParser(
		prog="python -m dogan_agents.lab.demo", description=__doc__.partition("\n")[0]
	)
	for option, text in (
		("messages", "how many to feed"),
		("nodes", "how many to run"),
		("workers", "RQ workers a node"),
		("seed", "another one makes other messages"),
	):
		default = getattr(Options, option)
		parser.add_argument(f"--{option}", type=int, default=default, help=f"{text} ({default})")
	parser.add_argument(
		"--kill", action=argparse.BooleanOptionalAction, default=True, help="kill a node half-way"
	)
	options = Options(**vars(parser.parse_args()))
	if options.kill and options.nodes < 2:
		parser.error("a node can only be killed when there is another one: give --no-kill, or more --nodes")
	return options


if __name__ == "__main__":
	sys.exit(main())
