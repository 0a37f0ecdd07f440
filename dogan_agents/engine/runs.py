"""Starting, cancelling and retrying runs. Each writes in the caller's transaction and commits nothing."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dogan_agents.engine import order, payload, template
from dogan_agents.engine.errors import NotFound, StateError
from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.ready import Call, Candidate, make_ready
from dogan_agents.engine.spec import WorkflowSpec
from dogan_agents.engine.sql import RUN, TASK, marks
from dogan_agents.engine.states import TASK_ENDED, TASK_SOURCES, RunStatus, TaskStatus, check_run


@dataclass(frozen=True, slots=True)
class StartRequest:
	version: str
	user: str
	input: Any = None
	idempotency_key: str | None = None
	reference_doctype: str | None = None
	reference_name: str | None = None
	priority: int | None = None
	trigger: str = "api"


@dataclass(frozen=True, slots=True)
class Started:
	run: str
	status: str
	created: bool  # False: a run with this idempotency key was there already


COLUMNS = (
	"name, creation, modified, owner, modified_by, docstatus, idx, workflow, version, status, input, user, "
	"reference_doctype, reference_name, idempotency_key, idempotency_digest, priority, `trigger`, fair_key, queue_key"
)


def start(host: Host, db: Database, request: StartRequest, now: int) -> Started:
	"""Write a Queued run. With an idempotency key that the workflow has seen before, the run of that time."""
	return start_many(host, db, [request], now)[0]


def start_many(host: Host, db: Database, requests: Sequence[StartRequest], now: int) -> list[Started]:
	"""Like `start` for each request, with one INSERT for all that have no idempotency key."""
	specs = [host.spec(request.version) for request in requests]
	flows = [_flow(request, spec) for request, spec in zip(requests, specs, strict=True)]
	queue_keys = order.keys(db, order.run_queue(), flows, now)
	started: list[Started] = []
	rows: list[Any] = []
	for request, spec, flow, key in zip(requests, specs, flows, queue_keys, strict=True):
		row = _row(host, request, spec, flow, key, now)
		if request.idempotency_key:
			started.append(_insert_once(db, row))
		else:
			rows.extend(row)
			started.append(Started(row[0], RunStatus.QUEUED.value, True))
	if rows:
		_insert(db, rows)
	return started


def _flow(request: StartRequest, spec: WorkflowSpec) -> order.Flow:
	priority = spec.priority if request.priority is None else min(max(request.priority, 0), order.HIGHEST)
	key = spec.workflow
	if spec.fairness_key:
		scope = template.render(
			spec.fairness_key, {"run": _view(request, spec), "input": request.input or {}}
		)
		key = f"{spec.workflow}:{scope}"[:140]
	return order.Flow(priority, key, spec.weight)


def _view(request: StartRequest, spec: WorkflowSpec) -> dict[str, Any]:
	return {
		"workflow": spec.workflow,
		"input": request.input or {},
		"user": request.user,
		"reference_doctype": request.reference_doctype,
		"reference_name": request.reference_name,
	}


def _row(
	host: Host, request: StartRequest, spec: WorkflowSpec, flow: order.Flow, queue_key: int, now: int
) -> list[Any]:
	at = host.local(now)
	return [
		new_id(), at, at, request.user, request.user, 0, 0, spec.workflow, request.version,
		RunStatus.QUEUED.value,
		payload.dumps({} if request.input is None else request.input, "The run's input"),
		spec.run_as or request.user,
		request.reference_doctype, request.reference_name, request.idempotency_key,
		digest(spec.workflow, request.idempotency_key), flow.priority, request.trigger, flow.fair_key, queue_key,
	]  # fmt: skip


def digest(workflow: str, key: str | None) -> str | None:
	"""Keys are compared by digest: to the column's collation Müller-7 and muller-7 would be the same."""
	return hashlib.sha256(f"{workflow}\0{key}".encode()).hexdigest() if key else None


def _insert(db: Database, rows: list[Any]) -> None:
	width = COLUMNS.count(",") + 1
	values = ", ".join([f"({marks(range(width))})"] * (len(rows) // width))
	db.execute(f"INSERT INTO {RUN} ({COLUMNS}) VALUES {values}", rows)


def _insert_once(db: Database, row: list[Any]) -> Started:
	db.execute(
		f"INSERT INTO {RUN} ({COLUMNS}) VALUES ({marks(row)}) ON DUPLICATE KEY UPDATE {RUN}.name = {RUN}.name",
		row,
	)
	name, status = db.query(
		f"SELECT name, status FROM {RUN} WHERE idempotency_digest = %s LOCK IN SHARE MODE", (row[15],)
	)[0]
	return Started(name, status, name == row[0])


def cancel(host: Host, db: Database, run: str, now: int) -> None:
	"""End a run at once. What its steps are doing at this moment is refused when they try to commit it."""
	check_run(_lock(db, run), RunStatus.CANCELLED)
	at = host.local(now)
	live = [status.value for status in TASK_SOURCES[TaskStatus.CANCELLED]]
	db.execute(
		f"UPDATE {TASK} SET status = 'Cancelled', lease_token = lease_token + 1, running_on = NULL, "
		f"blocked_on = NULL, ready_key = 0, due = 0, ended_at = %s WHERE run = %s AND status IN ({marks(live)})",
		(at, run, *live),
	)
	db.execute(
		f"UPDATE {RUN} SET status = 'Cancelled', queue_key = 0, blocked_on = NULL, tasks_open = 0, tasks_active = 0, "
		"ended_at = %s, modified = %s WHERE name = %s",
		(at, at, run),
	)


def retry(host: Host, db: Database, run: str, now: int) -> set[Call]:
	"""Take up a run where it stopped: failed and parked steps again, completed ones not. Returns who is to be woken."""
	status = _lock(db, run)
	tasks = db.query(
		f"SELECT name, step, status, pool, place FROM {TASK} WHERE run = %s ORDER BY name FOR UPDATE", (run,)
	)
	if not tasks and status in (RunStatus.CANCELLED, RunStatus.FAILED):
		return _requeue(host, db, run, status, now)
	version, fair_key, priority = db.query(
		f"SELECT version, fair_key, priority FROM {RUN} WHERE name = %s", (run,)
	)[0]
	spec = host.spec(version)
	redo = {step for _, step, state, *_ in tasks if _is_redone(spec, step, state)}
	if not redo or status in (RunStatus.COMPLETED, RunStatus.COMPENSATED):
		raise StateError(f"Run {run} is {status} and has no failed, parked or cancelled step to try again.")
	return _reopen(host, db, run, spec, tasks, redo, order.Flow(priority, fair_key, spec.weight), now)


def _reopen(
	host: Host,
	db: Database,
	run: str,
	spec: WorkflowSpec,
	tasks: Sequence[Any],
	redo: set[str],
	flow: order.Flow,
	now: int,
) -> set[Call]:
	"""`redo` again, each when its predecessors have ended: those to be done again, and those that still run."""
	to_end = redo | {step for _, step, state, *_ in tasks if TaskStatus(state) not in TASK_ENDED}
	ready = []
	for name, step, _, pool, place in tasks:
		if step not in redo:
			continue
		waiting_on = sum(before in to_end for before in spec.predecessors[step])
		db.execute(
			f"UPDATE {TASK} SET status = 'Pending', waiting_on = %s, ready_key = 0, ready_at = NULL, attempt = 0, "
			"crashes = 0, due = 0, waited_until = 0, error = NULL, error_kind = NULL, ended_at = NULL, output = NULL, "
			"lease_token = lease_token + 1, running_on = NULL, blocked_on = NULL WHERE name = %s",
			(waiting_on, name),
		)
		if not waiting_on:
			ready.append(Candidate(name, pool, place, flow))
	calls = make_ready(host, db, ready, now)
	db.execute(
		f"UPDATE {RUN} SET status = 'Running', failing = 0, error = NULL, ended_at = NULL, output = NULL, "
		f"tasks_open = (SELECT COUNT(*) FROM {TASK} WHERE run = %s AND status NOT IN "
		"('Completed', 'Failed', 'Skipped', 'Cancelled')), "
		f"tasks_active = (SELECT COUNT(*) FROM {TASK} WHERE run = %s AND status IN ('Ready', 'Running', 'Blocked')), "
		"modified = %s WHERE name = %s",
		(run, run, host.local(now), run),
	)
	return calls


def _is_redone(spec: WorkflowSpec, step: str, status: str) -> bool:
	if status in ("Parked", "Cancelled"):
		return True
	return status == "Failed" and spec.by_name[step].on_failure == "Fail"


def _requeue(host: Host, db: Database, run: str, status: str, now: int) -> set[Call]:
	"""A run that ended before it was admitted goes back into the queue."""
	check_run(status, RunStatus.QUEUED)
	version, fair_key, priority = db.query(
		f"SELECT version, fair_key, priority FROM {RUN} WHERE name = %s", (run,)
	)[0]
	spec = host.spec(version)
	key = order.keys(db, order.run_queue(), [order.Flow(priority, fair_key, spec.weight)], now)[0]
	db.execute(
		f"UPDATE {RUN} SET status = 'Queued', queue_key = %s, error = NULL, ended_at = NULL WHERE name = %s",
		(key, run),
	)
	return {(spec.entry_pool, "")}


def _lock(db: Database, run: str) -> str:
	rows = db.query(f"SELECT status FROM {RUN} WHERE name = %s FOR UPDATE", (run,))
	if not rows:
		raise NotFound(f"There is no run {run}.")
	return str(rows[0][0])
