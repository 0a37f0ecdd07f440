"""Admission: Queued runs become Running, in the order of their queue, within their workflow's limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dogan_agents.engine import limits, order, payload, template
from dogan_agents.engine.errors import DoganError
from dogan_agents.engine.ids import task_name
from dogan_agents.engine.place import ANYWHERE, Nowhere, Place, PlaceRequest, Policy, affinity
from dogan_agents.engine.ports import Database, Host
from dogan_agents.engine.ready import PLACE, Call, choose
from dogan_agents.engine.spec import StepSpec, WorkflowSpec
from dogan_agents.engine.sql import RUN, TASK, each, marks

COLUMNS = (
	"name, creation, modified, owner, modified_by, docstatus, idx, run, workflow, step, status, action, agent, pool, "
	"fair_key, waiting_on, limit_key, external, place, ready_key, ready_at, target, pinned, blocked_on"
)


LIMIT_KEY_LENGTH = 140
BATCH = 500  # blocked runs put back into the queue at once, when their limit is gone


@dataclass(frozen=True, slots=True)
class QueuedRun:
	name: str
	version: str
	user: str
	input: str
	priority: int
	fair_key: str


@dataclass(frozen=True, slots=True)
class Entry:
	"""A queued run with what its tasks are made from."""

	run: QueuedRun
	spec: WorkflowSpec
	limit_keys: Mapping[str, str]  # of the steps that have a concurrency key
	places: Mapping[str, str]  # of the steps that ask for one, encoded


def admit(host: Host, db: Database, limit: int, now: int) -> set[Call]:
	"""Admit up to `limit` runs inside the transaction that is open; the pools that have work by it, and where."""
	rows = db.query(
		f"SELECT name, version, user, input, priority, fair_key FROM {RUN} WHERE queue_key > 0 "
		"ORDER BY queue_key LIMIT %s FOR UPDATE SKIP LOCKED",
		(limit,),
	)
	queued = [entry for row in rows if (entry := _entry(host, db, QueuedRun(*row), now))]
	admitted = _within_limits(host, db, queued)
	return _open(host, db, admitted, now) if admitted else set()


def _entry(host: Host, db: Database, run: QueuedRun, now: int) -> Entry | None:
	"""None when the run cannot be carried out: it fails by itself, and keeps no other waiting."""
	try:
		spec = host.spec(run.version)
		return Entry(run, spec, _limit_keys(run, spec), _places(run, spec))
	except DoganError as error:
		db.execute(
			f"UPDATE {RUN} SET status = 'Failed', queue_key = 0, error = %s, ended_at = %s, modified = %s "
			"WHERE name = %s",
			(payload.storable(str(error)), host.local(now), host.local(now), run.name),
		)
		return None


def _limit_keys(run: QueuedRun, spec: WorkflowSpec) -> dict[str, str]:
	keyed = [step for step in spec.steps if step.concurrency_key]
	scope = _scope(run) if keyed else {}
	return {step.step: _limit_key(spec, step, template.render(step.concurrency_key, scope)) for step in keyed}


def _places(run: QueuedRun, spec: WorkflowSpec) -> dict[str, str]:
	placing = {step.step: spec.placing_of(step.step) for step in spec.steps}
	return {step: _place(run, asked).encode() for step, asked in placing.items() if asked.placement}


def _place(run: QueuedRun, asked: StepSpec | WorkflowSpec) -> PlaceRequest:
	value = asked.placement_value.strip()
	if asked.placement == Policy.AFFINITY.value:
		value = affinity(template.render(value, _scope(run)))
	return PlaceRequest(Policy(asked.placement), value, asked.placement_required)


def _scope(run: QueuedRun) -> dict[str, Any]:
	data = payload.loads(run.input)
	return {"run": {"name": run.name, "user": run.user, "input": data}, "input": data, "steps": {}}


def _limit_key(spec: WorkflowSpec, step: StepSpec, value: Any) -> str:
	return payload.storable(f"{step.concurrency_limit}|{spec.workflow}.{step.step}:{value}")[
		:LIMIT_KEY_LENGTH
	]


def _within_limits(host: Host, db: Database, queued: Sequence[Entry]) -> list[Entry]:
	"""Those that their workflow's `max_concurrent` lets in; the others leave the queue as blocked."""
	workflows = {entry.spec.workflow for entry in queued}
	places = {workflow: most for workflow in workflows if (most := host.max_concurrent(workflow))}
	if not places:
		return list(queued)
	limits.lock(db)
	free = {workflow: most - running(db, workflow) for workflow, most in places.items()}
	admitted = []
	for entry in queued:
		workflow = entry.spec.workflow
		if free.get(workflow, 1) > 0:
			admitted.append(entry)
		else:
			_block(db, entry.run.name, workflow)
		if workflow in free:
			free[workflow] -= 1
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


def unblock(host: Host, db: Database, workflow: str, now: int) -> int:
	"""Put as many of the workflow's blocked runs back into the queue as it has places free, the oldest first."""
	limits.lock(db)
	places = host.max_concurrent(workflow)
	free = places - running(db, workflow) if places else BATCH
	if free <= 0:
		return 0
	rows = db.query(
		f"SELECT name, version, priority, fair_key FROM {RUN} WHERE blocked_on = %s ORDER BY creation LIMIT %s "
		"FOR UPDATE SKIP LOCKED",
		(limits.WORKFLOW + workflow, free),
	)
	if not rows:
		return 0
	names = [row[0] for row in rows]
	flows = [order.Flow(row[2], row[3], host.spec(row[1]).weight) for row in rows]
	keys = order.keys(db, order.run_queue(), flows, now)
	assign, params = each("queue_key", names, keys)
	db.execute(
		f"UPDATE {RUN} SET blocked_on = NULL, {assign} WHERE name IN ({marks(names)})", (*params, *names)
	)
	return len(rows)


def _open(host: Host, db: Database, admitted: Sequence[Entry], now: int) -> set[Call]:
	"""Write the tasks of admitted runs: those without predecessors Ready, the others Pending."""
	at = host.local(now)
	begun = _roots(host, db, admitted, now)
	values: list[object] = []
	count = 0
	for entry in admitted:
		run, spec = entry.run, entry.spec
		for step in spec.steps:
			key, answer = begun.get((run.name, step.step), (0, ANYWHERE))
			root, nowhere = not step.depends_on, isinstance(answer, Nowhere)
			values.extend(
				(
					task_name(run.name, step.step), at, at, run.user, run.user, 0, 0, run.name, spec.workflow,
					step.step, ("Blocked" if nowhere else "Ready") if root else "Pending", step.action,
					spec.agent_of(step.step), spec.pool_of(step.step), run.fair_key, len(step.depends_on),
					entry.limit_keys.get(step.step), int(step.external), entry.places.get(step.step), key,
					at if key else None, *_placed(answer),
				)
			)  # fmt: skip
			count += 1
	width = COLUMNS.count(",") + 1
	rows = ", ".join([f"({marks(range(width))})"] * count)
	db.execute(f"INSERT INTO {TASK} ({COLUMNS}) VALUES {rows}", values)
	_mark_running(db, admitted, at)
	return {
		(entry.spec.pool_of(step), answer.node or "")
		for entry in admitted
		for step in entry.spec.roots
		if isinstance(answer := begun[entry.run.name, step][1], Place)
	}


def _placed(answer: Place | Nowhere) -> tuple[str | None, int, str | None]:
	"""The columns target, pinned and blocked_on."""
	if isinstance(answer, Nowhere):
		return None, 0, (PLACE + answer.reason)[:140]
	return answer.node, int(answer.pinned), None


def _roots(
	host: Host, db: Database, admitted: Sequence[Entry], now: int
) -> dict[tuple[str, str], tuple[int, Place | Nowhere]]:
	"""For each run and step to begin with: its key in the queue (0 when it may be performed nowhere), its place."""
	by_pool: dict[str, list[tuple[str, str, str | None, order.Flow]]] = {}
	for entry in admitted:
		flow = order.Flow(entry.run.priority, entry.run.fair_key, entry.spec.weight)
		for step in entry.spec.roots:
			item = (entry.run.name, step, entry.places.get(step), flow)
			by_pool.setdefault(entry.spec.pool_of(step), []).append(item)
	found: dict[tuple[str, str], tuple[int, Place | Nowhere]] = {}
	for pool, items in by_pool.items():
		answers = choose(host, pool, [place for _, _, place, _ in items])
		keys = order.keys(db, order.pool_queue(pool), [flow for *_, flow in items], now)
		for (run, step, *_), key, answer in zip(items, keys, answers, strict=True):
			found[run, step] = (0 if isinstance(answer, Nowhere) else key, answer)
	return found


def _mark_running(db: Database, admitted: Sequence[Entry], at: datetime) -> None:
	names = [entry.run.name for entry in admitted]
	sizes = [len(entry.spec.steps) for entry in admitted]
	totals, total_params = each("tasks_total", names, sizes)
	opens, open_params = each("tasks_open", names, sizes)
	actives, active_params = each("tasks_active", names, [len(entry.spec.roots) for entry in admitted])
	db.execute(
		f"UPDATE {RUN} SET status = 'Running', queue_key = 0, started_at = %s, modified = %s, {totals}, {opens}, "
		f"{actives} WHERE name IN ({marks(names)})",
		(at, at, *total_params, *open_params, *active_params, *names),
	)
