"""Admission: Queued runs become Running, in the order of their queue, within their workflow's limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from dogan_agents.engine import limits, order, payload, template
from dogan_agents.engine.ids import task_name
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.spec import StepSpec, WorkflowSpec
from dogan_agents.engine.sql import RUN, TASK, each, marks

COLUMNS = (
	"name, creation, modified, owner, modified_by, docstatus, idx, run, workflow, step, status, action, agent, pool, "
	"fair_key, waiting_on, limit_key, external, ready_key, ready_at"
)


@dataclass(frozen=True, slots=True)
class QueuedRun:
	name: str
	version: str
	user: str
	input: str
	priority: int
	fair_key: str


def admit(host: Host, db: Database, limit: int, now: int) -> set[str]:
	"""Admit up to `limit` runs inside the transaction that is open; the pools that have work by it."""
	rows = db.query(
		f"SELECT name, version, user, input, priority, fair_key FROM {RUN} WHERE queue_key > 0 "
		"ORDER BY queue_key LIMIT %s FOR UPDATE SKIP LOCKED",
		(limit,),
	)
	queued = [(QueuedRun(*row), host.spec(row[1])) for row in rows]
	places = {workflow: host.max_concurrent(workflow) for workflow in {spec.workflow for _, spec in queued}}
	admitted = _within_limits(db, queued, places) if any(places.values()) else queued
	return _open(host, db, admitted, now) if admitted else set()


def _within_limits(
	db: Database, queued: Sequence[tuple[QueuedRun, WorkflowSpec]], places: dict[str, int]
) -> list[tuple[QueuedRun, WorkflowSpec]]:
	"""Those that their workflow's `max_concurrent` lets in; the others leave the queue as blocked."""
	limits.lock(db)
	free: dict[str, int] = {}
	admitted = []
	for run, spec in queued:
		if places[spec.workflow]:
			if spec.workflow not in free:
				free[spec.workflow] = places[spec.workflow] - running(db, spec.workflow)
			if free[spec.workflow] <= 0:
				_block(db, run.name, spec.workflow)
				continue
			free[spec.workflow] -= 1
		admitted.append((run, spec))
	return admitted


def running(db: Database, workflow: str) -> int:
	"""Runs of the workflow that fill a place under its `max_concurrent`."""
	rows = db.query(
		f"SELECT COUNT(*) FROM {RUN} WHERE workflow = %s AND status IN ('Running', 'Waiting')", (workflow,)
	)
	return int(rows[0][0])


def _block(db: Database, run: str, workflow: str) -> None:
	db.execute(
		f"UPDATE {RUN} SET queue_key = 0, blocked_on = %s WHERE name = %s", (limits.WORKFLOW + workflow, run)
	)


def unblock(db: Database, workflow: str, places: int, now: int) -> int:
	"""Put up to `places` of the workflow's blocked runs back into the queue, the oldest first."""
	rows = db.query(
		f"SELECT name, priority, fair_key FROM {RUN} WHERE blocked_on = %s ORDER BY creation LIMIT %s "
		"FOR UPDATE SKIP LOCKED",
		(limits.WORKFLOW + workflow, places),
	)
	if not rows:
		return 0
	names = [row[0] for row in rows]
	keys = order.keys(db, order.run_queue(), [order.Flow(row[1], row[2]) for row in rows], now)
	assign, params = each("queue_key", names, keys)
	db.execute(
		f"UPDATE {RUN} SET blocked_on = NULL, {assign} WHERE name IN ({marks(names)})", (*params, *names)
	)
	return len(rows)


def _open(host: Host, db: Database, admitted: Sequence[tuple[QueuedRun, WorkflowSpec]], now: int) -> set[str]:
	"""Write the tasks of admitted runs: those without predecessors Ready, the others Pending."""
	at = host.local(now)
	ready_keys = _ready_keys(db, admitted, now)
	values: list[object] = []
	count = 0
	for run, spec in admitted:
		for step in spec.steps:
			key = ready_keys.get((run.name, step.step), 0)
			values.extend(
				(
					task_name(run.name, step.step), at, at, run.user, run.user, 0, 0, run.name, spec.workflow,
					step.step, "Ready" if key else "Pending", step.action, spec.agent_of(step.step),
					spec.pool_of(step.step), run.fair_key, len(step.depends_on), _limit_key(run, spec, step),
					int(step.external), key, at if key else None,
				)
			)  # fmt: skip
			count += 1
	width = COLUMNS.count(",") + 1
	rows = ", ".join([f"({marks(range(width))})"] * count)
	db.execute(f"INSERT INTO {TASK} ({COLUMNS}) VALUES {rows}", values)
	_mark_running(db, admitted, at)
	return {spec.pool_of(step.step) for _, spec in admitted for step in spec.steps if not step.depends_on}


def _ready_keys(
	db: Database, admitted: Sequence[tuple[QueuedRun, WorkflowSpec]], now: int
) -> dict[tuple[str, str], int]:
	by_pool: dict[str, list[tuple[str, str, order.Flow]]] = {}
	for run, spec in admitted:
		for step in spec.steps:
			if not step.depends_on:
				flow = order.Flow(run.priority, run.fair_key, spec.weight)
				by_pool.setdefault(spec.pool_of(step.step), []).append((run.name, step.step, flow))
	found: dict[tuple[str, str], int] = {}
	for pool, items in by_pool.items():
		keys = order.keys(db, order.pool_queue(pool), [flow for *_, flow in items], now)
		found.update(((run, step), key) for (run, step, _), key in zip(items, keys, strict=True))
	return found


def _limit_key(run: QueuedRun, spec: WorkflowSpec, step: StepSpec) -> str | None:
	if not step.concurrency_key:
		return None
	data = payload.loads(run.input)
	value = template.render(
		step.concurrency_key,
		{"run": {"name": run.name, "user": run.user, "input": data}, "input": data, "steps": {}},
	)
	return f"{step.concurrency_limit}|{spec.workflow}.{step.step}:{value}"[:140]


def _mark_running(db: Database, admitted: Sequence[tuple[QueuedRun, WorkflowSpec]], at: str) -> None:
	names = [run.name for run, _ in admitted]
	totals, total_params = each("tasks_total", names, [len(spec.steps) for _, spec in admitted])
	opens, open_params = each("tasks_open", names, [len(spec.steps) for _, spec in admitted])
	roots = [sum(not step.depends_on for step in spec.steps) for _, spec in admitted]
	actives, active_params = each("tasks_active", names, roots)
	db.execute(
		f"UPDATE {RUN} SET status = 'Running', queue_key = 0, started_at = %s, modified = %s, {totals}, {opens}, "
		f"{actives} WHERE name IN ({marks(names)})",
		(at, at, *total_params, *open_params, *active_params, *names),
	)
