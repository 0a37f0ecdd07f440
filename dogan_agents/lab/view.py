"""The demo on a terminal: live while it runs, a line now and then where there is no terminal; a table at the end."""

import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dogan_agents.lab.mail_to_lead import Fed
from dogan_agents.lab.observe import NodeState, Snapshot
from dogan_agents.lab.tally import Failover, Tally

WIDTH = 84
BARS = "▁▂▃▄▅▆▇█"
RATES_KEPT = 30
RATE_SECONDS = 0.5  # one bar of the sparkline
LINE_SECONDS = 2.0  # between lines where there is no terminal
EVENTS_SHOWN = 4
STATES = {
	"Queued": "yellow",
	"Running": "cyan",
	"Waiting": "magenta",
	"Completed": "green",
	"Failed": "red",
	"Cancelled": "red",
}


class View:
	def __init__(self, total: int, console: Console | None = None):
		self.total, self.console = total, console or Console(highlight=False)
		self.began = time.monotonic()
		self.events: deque[tuple[float, str]] = deque(maxlen=EVENTS_SHOWN)
		self.rates: deque[float] = deque(maxlen=RATES_KEPT)
		self._counted = (self.began, 0)
		self._line = 0.0
		self._live = Live(console=self.console, auto_refresh=False)

	def __enter__(self) -> "View":
		if self.console.is_terminal:
			self._live.start()
		return self

	def __exit__(
		self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
	) -> None:
		self._live.stop()

	@property
	def elapsed(self) -> float:
		return time.monotonic() - self.began

	def say(self, text: str) -> None:
		"""Something worth knowing has happened."""
		self.events.append((self.elapsed, text))
		if not self.console.is_terminal:
			self.console.print(f"{self.elapsed:6.1f} s  {text}", markup=False, soft_wrap=True)

	def show(self, fed: int, snapshot: Snapshot) -> None:
		self._measure(snapshot.done)
		if self.console.is_terminal:
			self._live.update(self.render(fed, snapshot), refresh=True)
		elif self.elapsed - self._line >= LINE_SECONDS:
			self._line = self.elapsed
			self.console.print(
				f"{self.elapsed:6.1f} s  {self._sentence(fed, snapshot)}", markup=False, soft_wrap=True
			)

	def render(self, fed: int, snapshot: Snapshot) -> RenderableType:
		return Panel(
			Group(
				self._progress(fed, snapshot),
				Text(),
				_states(snapshot),
				self._speed(snapshot),
				_nodes(snapshot.nodes),
				self._happened(),
			),
			title="[bold]Dogan Agents[/bold] · mail to lead",
			subtitle=f"{self.elapsed:.1f} s · Ctrl-C ends it",
			title_align="left",
			subtitle_align="right",
			border_style="blue",
			padding=(1, 2),
			width=min(WIDTH, self.console.width),
		)

	def _measure(self, done: int) -> None:
		at, before = self._counted
		if (seconds := time.monotonic() - at) >= RATE_SECONDS:
			self.rates.append((done - before) / seconds)
			self._counted = (time.monotonic(), done)

	@property
	def _rate(self) -> float:
		latest = list(self.rates)[-4:]
		return sum(latest) / len(latest) if latest else 0.0

	def _progress(self, fed: int, snapshot: Snapshot) -> RenderableType:
		table = Table.grid(padding=(0, 2), expand=True)
		table.add_column(width=8)
		table.add_column(ratio=1)
		table.add_column(width=20, justify="right")
		for label, value, verb in (("Messages", fed, "fed"), ("Runs", snapshot.ended, "ended")):
			bar = ProgressBar(self.total, value, complete_style="cyan", finished_style="green")
			table.add_row(label, bar, f"{value} of {self.total} {verb}")
		return table

	def _speed(self, snapshot: Snapshot) -> RenderableType:
		highest = max(self.rates, default=0) or 1
		bars = "".join(BARS[round(rate / highest * (len(BARS) - 1))] for rate in self.rates)
		steps = f"[bold]{self._rate:.0f}[/] a second  [cyan]{bars:<{RATES_KEPT}}[/]  {snapshot.done} done"
		queue = f"[bold]{snapshot.ready}[/] ready   [bold]{snapshot.running}[/] in hand"
		return Group(_line("Steps", steps), _line("Queue", queue))

	def _happened(self) -> RenderableType:
		table = Table.grid(padding=(0, 2))
		table.add_column(justify="right", style="dim", no_wrap=True)
		table.add_column()
		for at, text in self.events:
			table.add_row(f"{at:.1f} s", Text(text))
		for _ in range(EVENTS_SHOWN - len(self.events)):
			table.add_row("", "")
		return table

	def _sentence(self, fed: int, snapshot: Snapshot) -> str:
		workers = sum(node.workers for node in snapshot.nodes)
		return (
			f"{fed} of {self.total} messages fed, {snapshot.ended} runs ended, {self._rate:.0f} steps a second, "
			f"queue {snapshot.ready} ready and {snapshot.running} in hand, {workers} workers"
		)


def _line(label: str, markup: str) -> Text:
	return Text(f"{label:<10}") + Text.from_markup(markup)


def _states(snapshot: Snapshot) -> Text:
	shown = [state for state in STATES if snapshot.runs[state] or state in ("Queued", "Running", "Completed")]
	return _line("Runs", "   ".join(f"[bold {STATES[s]}]{snapshot.runs[s]}[/] {s.lower()}" for s in shown))


def _nodes(nodes: Sequence[NodeState]) -> Table:
	table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), pad_edge=False, header_style="dim")
	table.add_column("Node", width=8)
	table.add_column("Workers", min_width=8)
	table.add_column("In hand", justify="right", width=7)
	table.add_column("Done", justify="right", width=6)
	table.add_column("", ratio=1)
	for node in nodes:
		live, gone = "● " * node.workers, ("✖ " if node.killed else "○ ") * (node.size - node.workers)
		table.add_row(
			Text(node.name, "red" if node.killed else ""),
			Text(live, "green") + Text(gone, "red" if node.killed else "dim"),
			str(node.holds),
			str(node.done),
			_state(node),
		)
	return table


def _state(node: NodeState) -> Text:
	if not node.killed:
		return Text("at work" if node.holds else "idle" if node.workers else "starting", "dim")
	if node.holds:
		return Text(f"killed; its leases end in {node.lease:.1f} s", "red")
	return Text("killed; nothing is left in its hands", "red")


def report(
	tally: Tally, fed: Fed, seconds: float, failover: Failover | None, faults: Sequence[str]
) -> RenderableType:
	"""What happened, at the end."""
	return summary(_rows(tally, fed, seconds, failover), faults)


def summary(rows: Sequence[tuple[str, str, str]], faults: Sequence[str]) -> RenderableType:
	"""What was counted (name, figure, remark), and what does not tally."""
	table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False, title_justify="left")
	table.add_column()
	table.add_column(justify="right", style="bold")
	table.add_column(style="dim")
	for row in rows:
		table.add_row(*row)
	verdict = [Text(f"✖ {fault}", "red") for fault in faults[:10]]
	if len(faults) > 10:
		verdict.append(Text(f"  and {len(faults) - 10} more", "red"))
	return Group(
		Text(),
		Text(" What happened", "bold"),
		table,
		*(verdict or [Text("✔ Everything tallies.", "bold green")]),
	)


def _rows(tally: Tally, fed: Fed, seconds: float, failover: Failover | None) -> list[tuple[str, str, str]]:
	rate = tally.steps / seconds if seconds else 0
	return [
		("Messages", str(tally.messages), f"{fed.messages} fed, {fed.again} of them twice"),
		("Runs", str(tally.runs), f"{tally.completed} completed"),
		("Steps", str(tally.steps), f"in {seconds:.1f} s, {rate:.0f} a second"),
		("Leads made", str(tally.made), f"{tally.leads} in the table"),
		("Leads matched", str(tally.matched), "the sender was known"),
		("Replies queued", str(tally.replies), f"none to {tally.messages - tally.persons} robots"),
		("Steps done twice", figure(tally.twice), "effects, replies, leads of an address"),
		("Work lost", figure(tally.lost), "messages without run, record, lead or reply"),
		*failover_rows(failover),
		("A run, p50", f"{tally.p50:.2f} s", "from its message to its end"),
		("A run, p95", f"{tally.p95:.2f} s", ""),
	]


def figure(found: Sequence[str]) -> str:
	return f"[red]{len(found)}[/]" if found else "[green]0[/]"


def steps(count: int) -> str:
	return f"{count} step" if count == 1 else f"{count} steps"


def failover_rows(failover: Failover | None) -> list[tuple[str, str, str]]:
	if failover is None:
		return []
	if not failover.steps:
		return [("Failover", "—", "the node had no step in its hands")]
	held = steps(failover.steps)
	if failover.claimed is None:
		return [("Failover", "[red]none[/]", f"of its {held}, {failover.taken} were taken over")]
	return [
		("Failover", f"{failover.claimed:.1f} s", f"from the kill until its {held} had new hands"),
		("", f"{failover.done or 0:.1f} s", "from the kill until all were done"),
	]
