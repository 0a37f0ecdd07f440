"""The fence and the step forward: results, successors and the run, in the transaction that is open.

`complete` is called inside the transaction in which the steps' documents were written, as the last thing before
its commit. Either all of it happens, or nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dogan_agents.engine import order, payload
from dogan_agents.engine.claim import Claimed
from dogan_agents.engine.errors import LeaseLost, PayloadError
from dogan_agents.engine.ids import task_name
from dogan_agents.engine.ports import Database, ErrorKind, Host
from dogan_agents.engine.ready import Call, Candidate, make_ready
from dogan_agents.engine.spec import WorkflowSpec
from dogan_agents.engine.sql import RUN, TASK, each, fence, marks
from dogan_agents.engine.states import TASK_SOURCES, RunStatus, TaskStatus


@dataclass(frozen=True, slots=True)
class Outcome:
	"""What became of a claimed task."""

	task: Claimed
	status: TaskStatus  # Completed, Skipped, Failed, Parked or Waiting
	input: str | None = None
	output: str | None = None
	error: str | None = None
	error_kind: str | None = None
	due: int = 0  # µs, UTC, when Waiting
	retry: bool = False  # Waiting for the next attempt, not for a timer of its own
	counted: bool = True  # False: the attempt never began (a rate limit), so it does not count
	duration: float = 0.0  # seconds

	@property
	def counts(self) -> bool:
		"""Whether it says something about what the step calls: it did not merely wait, or was skipped."""
		return self.status is TaskStatus.COMPLETED or self.error_kind is not None

	@property
	def kind(self) -> ErrorKind | None:
		return ErrorKind(self.error_kind) if self.error_kind else None

	@property
	def size(self) -> int:
		"""Characters of JSON to write."""
		return len(self.input or "") + len(self.output or "")


@dataclass(slots=True)
class RunRow:
	"""A run while its row is locked."""

	name: str
	version: str
	status: str
	open: int
	active: int
	failing: int
	priority: int
	fair_key: str
	error: str | None
	output: str | None = None
	ended: bool = False


@dataclass(frozen=True, slots=True)
class Forward:
	"""What a completed transaction made possible; acted on after its commit."""

	ready: set[Call] = field(default_factory=set)  # pools, and nodes in them, that have got work
	ended: dict[str, str] = field(default_factory=dict)  # run → workflow


def complete(host: Host, db: Database, outcomes: Sequence[Outcome], now: int) -> Forward:
	"""Write outcomes and what follows from them. LeaseLost, with nothing written, when one is no longer ours."""
	runs = lock_runs(db, {outcome.task.run for outcome in outcomes})
	write_fenced(db, outcomes, host.local(now))
	forward = Forward()
	_step_forward(host, db, runs, outcomes, forward, now)
	settle(host, db, runs, forward, now)
	return forward


def lock_runs(db: Database, names: Iterable[str]) -> dict[str, RunRow]:
	"""Lock the runs in the order of their names, as everybody does: so completions cannot deadlock."""
	wanted = sorted(set(names))
	if not wanted:
		return {}
	rows = db.query(
		"SELECT name, version, status, tasks_open, tasks_active, failing, priority, fair_key, error "
		f"FROM {RUN} WHERE name IN ({marks(wanted)}) ORDER BY name FOR UPDATE",
		wanted,
	)
	return {row[0]: RunRow(*row) for row in rows}


def write_fenced(db: Database, outcomes: Sequence[Outcome], at: datetime) -> None:
	"""The fence: each result is written where the lease token is still the one we claimed with, or none is."""
	for status in dict.fromkeys(outcome.status for outcome in outcomes):
		group = [outcome for outcome in outcomes if outcome.status is status]
		assert TaskStatus.RUNNING in TASK_SOURCES[status]
		if _write(db, group, status, at) != len(group):
			raise LeaseLost([outcome.task.name for outcome in group])


def _write(db: Database, group: Sequence[Outcome], status: TaskStatus, at: datetime) -> int:
	names = [outcome.task.name for outcome in group]
	assigns = ["status = %s", "running_on = NULL", "ended_at = %s", "modified = %s"]
	params: list[Any] = [status.value, at, at]
	for column, values in (
		("input", [outcome.input for outcome in group]),
		("output", [outcome.output for outcome in group]),
		("error", [outcome.error for outcome in group]),
		("error_kind", [outcome.error_kind for outcome in group]),
		("duration", [round(outcome.duration, 6) for outcome in group]),
		("attempt", [outcome.task.attempt - (not outcome.counted) for outcome in group]),
		("due", [outcome.due for outcome in group]),
		("waited_until", [outcome.task.waited_until if outcome.retry else outcome.due for outcome in group]),
	):
		assign, more = each(column, names, values)
		assigns.append(assign)
		params.extend(more)
	ours, tokens = fence([(outcome.task.name, outcome.task.lease_token) for outcome in group])
	return db.execute(
		f"UPDATE {TASK} SET {', '.join(assigns)} WHERE {ours} AND status = 'Running'", (*params, *tokens)
	)


def _step_forward(
	host: Host, db: Database, runs: dict[str, RunRow], outcomes: Sequence[Outcome], forward: Forward, now: int
) -> None:
	"""Count down the successors of steps that have ended; those that wait for none any more become Ready."""
	arrived: dict[str, tuple[RunRow, str, int]] = {}
	for outcome in outcomes:
		run = runs[outcome.task.run]
		spec = host.spec(run.version)
		_account(run, spec, outcome)
		if not _lets_go_on(spec, outcome):
			continue
		for step in spec.successors[outcome.task.step]:
			name = task_name(run.name, step)
			arrived[name] = (run, step, arrived.get(name, (run, step, 0))[2] + 1)
	live = {
		name: item for name, item in arrived.items() if not item[0].failing and item[0].status != "Cancelled"
	}
	if live:
		_count_down(host, db, live, forward, now)


def _account(run: RunRow, spec: WorkflowSpec, outcome: Outcome) -> None:
	run.active -= 1
	if outcome.status in (TaskStatus.WAITING, TaskStatus.PARKED):
		return
	run.open -= 1
	if outcome.status is TaskStatus.FAILED and spec.by_name[outcome.task.step].on_failure == "Fail":
		if not run.failing:
			run.error = f"{outcome.task.step}: {outcome.error}"
		run.failing = 1
	if spec.leaves == (outcome.task.step,) and outcome.output is not None:
		run.output = outcome.output


def _lets_go_on(spec: WorkflowSpec, outcome: Outcome) -> bool:
	if outcome.status is TaskStatus.FAILED:
		return spec.by_name[outcome.task.step].on_failure == "Continue"
	return outcome.status in (TaskStatus.COMPLETED, TaskStatus.SKIPPED)


def _count_down(
	host: Host, db: Database, arrived: dict[str, tuple[RunRow, str, int]], forward: Forward, now: int
) -> None:
	names = sorted(arrived)
	rows = db.query(
		f"SELECT name, waiting_on, pool, place FROM {TASK} WHERE name IN ({marks(names)}) AND status = 'Pending' "
		"ORDER BY name FOR UPDATE",
		names,
	)
	left = {name: waiting_on - arrived[name][2] for name, waiting_on, *_ in rows}
	pending = [name for name, count in left.items() if count]
	if pending:
		assign, params = each("waiting_on", pending, [left[name] for name in pending])
		db.execute(f"UPDATE {TASK} SET {assign} WHERE name IN ({marks(pending)})", (*params, *pending))
	ready = [
		Candidate(name, pool, place, flow(host, arrived[name][0]))
		for name, _, pool, place in rows
		if not left[name]
	]
	forward.ready.update(make_ready(host, db, ready, now))
	for candidate in ready:
		arrived[candidate.name][0].active += 1


def flow(host: Host, run: RunRow) -> order.Flow:
	return order.Flow(run.priority, run.fair_key, host.spec(run.version).weight)


def settle(host: Host, db: Database, runs: dict[str, RunRow], forward: Forward, now: int) -> None:
	"""The state of each run, locked, after its tasks went on: running, waiting, or ended."""
	at = host.local(now)
	for run in runs.values():
		if run.failing:
			_call_off(db, run, at)
		run.status, run.ended = _state(run)
		if run.ended:
			forward.ended[run.name] = host.spec(run.version).workflow
	_fill_outputs(host, db, [run for run in runs.values() if run.ended and run.output is None])
	_write_runs(db, list(runs.values()), at)


def _state(run: RunRow) -> tuple[str, bool]:
	if run.open == 0:
		return (RunStatus.FAILED if run.failing else RunStatus.COMPLETED).value, True
	return (RunStatus.RUNNING if run.active > 0 else RunStatus.WAITING).value, False


def _call_off(db: Database, run: RunRow, at: datetime) -> None:
	"""A step failed the run: what has not begun is cancelled; what is running may still end."""
	db.execute(
		f"UPDATE {TASK} SET status = 'Cancelled', ready_key = 0, due = 0, blocked_on = NULL, ended_at = %s "
		"WHERE run = %s AND status IN ('Pending', 'Ready', 'Waiting', 'Blocked', 'Parked')",
		(at, run.name),
	)
	running = db.query(
		f"SELECT name FROM {TASK} WHERE run = %s AND status = 'Running' LOCK IN SHARE MODE", (run.name,)
	)
	run.open = run.active = len(running)


def _fill_outputs(host: Host, db: Database, ended: Sequence[RunRow]) -> None:
	"""A run's output is what its last steps gave: of one last step the output itself, of several one by name."""
	for run in ended:
		leaves = host.spec(run.version).leaves
		names = [task_name(run.name, step) for step in leaves]
		rows = db.query(
			f"SELECT step, output FROM {TASK} WHERE name IN ({marks(names)}) AND output IS NOT NULL LOCK IN SHARE MODE",
			names,
		)
		outputs = {step: payload.loads(output) for step, output in rows}
		if outputs:
			value: Any = outputs.get(leaves[0]) if len(leaves) == 1 else outputs
			run.output = payload.dumps(value, "The run's output") if len(leaves) == 1 else _joined(outputs)


def _joined(outputs: dict[str, Any]) -> str:
	try:
		return payload.dumps(outputs, "The run's output")
	except PayloadError:
		return payload.dumps({"steps": sorted(outputs)}, "The run's output")


def _write_runs(db: Database, runs: Sequence[RunRow], at: datetime) -> None:
	going, ended = [run for run in runs if not run.ended], [run for run in runs if run.ended]
	for group in (going, ended):
		if not group:
			continue
		names = [run.name for run in group]
		assigns: list[str] = []
		params: list[Any] = []
		for column, values in (
			("status", [run.status for run in group]),
			("tasks_open", [run.open for run in group]),
			("tasks_active", [run.active for run in group]),
			("failing", [run.failing for run in group]),
			("error", [run.error for run in group]),
			*((("output", [run.output for run in group]),) if group is ended else ()),
		):
			assign, more = each(column, names, values)
			assigns.append(assign)
			params.extend(more)
		if group is ended:
			assigns.append("ended_at = %s, modified = %s")
			params.extend((at, at))
		db.execute(f"UPDATE {RUN} SET {', '.join(assigns)} WHERE name IN ({marks(names)})", (*params, *names))
