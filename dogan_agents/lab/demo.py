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
from dataclasses import astuple, dataclass

from rich.console import Console

from dogan_agents.engine.sql import NOW, TASK
from dogan_agents.host.lab import LabHost
from dogan_agents.lab.errors import LabError
from dogan_agents.lab.mail_to_lead import Fed, Mailbox
from dogan_agents.lab.mailbox import make_messages
from dogan_agents.lab.node import Node
from dogan_agents.lab.observe import observe
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


@dataclass(frozen=True, slots=True)
class Killed:
	node: str
	at: int  # µs, by the database's clock
	tasks: list[str]  # that it was performing


class Demo:
	def __init__(self, options: Options, host: LabHost, nodes: Sequence[Node], view: View):
		self.options, self.host, self.nodes, self.view = options, host, nodes, view
		self.mailbox = Mailbox(host)
		self.killed: Killed | None = None
		self._may_kill = options.kill
		self._waits_for_failover = False
		self._post = deque(_post(options))
		self._looked = 0.0
		self._opened = 0.0

	def run(self) -> None:
		"""When the nodes are there, feed, watch and kill until every run has ended."""
		while self.view.elapsed < PATIENCE:
			if self._opened:
				self._feed()
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
		snapshot = observe(self.host.own, self.nodes)
		self.view.show(self.mailbox.fed.messages, snapshot)
		if not self._opened and all(node.workers == node.size for node in snapshot.nodes):
			self._opened = time.monotonic()
			self.view.say(f"{len(self.nodes)} nodes are there; the mailbox opens")
		self._expect_alive()
		if self._waits_for_failover and not any(node.holds for node in snapshot.nodes if node.killed):
			self._waits_for_failover = False
			self.view.say("Other nodes have taken over what it had in hand")
		busiest = max(snapshot.nodes, key=lambda node: node.holds)
		if self._may_kill and busiest.holds and snapshot.ended * 2 >= self.options.messages:
			self._kill(busiest.name)
		return not self._post and snapshot.ended >= self.options.messages and not snapshot.running

	def _expect_alive(self) -> None:
		for node in self.nodes:
			if not node.alive and not (self.killed and self.killed.node == node.name):
				raise LabError(f"{node.name} has ended by itself:\n{node.log.read_text()[-LOG_TAIL:]}")

	def _kill(self, name: str) -> None:
		(node,) = (node for node in self.nodes if node.name == name)
		db, processes = self.host.own, len(node.pids())
		at = int(db.query(f"SELECT {NOW}")[0][0])
		node.kill()
		rows = db.query(f"SELECT name FROM {TASK} WHERE status = 'Running' AND node = %s", (name,))
		self._may_kill, self._waits_for_failover = False, True
		self.killed = Killed(name, at, [task for (task,) in rows])
		self.view.say(f"SIGKILL for {name}: {processes} processes gone, with {steps(len(rows))} in hand")


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
		failover = measure_failover(host.own, *astuple(demo.killed)) if demo.killed else None
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
	return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
	sys.exit(main())
