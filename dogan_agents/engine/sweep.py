"""The sweep mends what nobody else would notice. One leader calls it each second."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dogan_agents.engine import limits, order, outage
from dogan_agents.engine.admit import unblock
from dogan_agents.engine.complete import Forward, RunRow, flow, lock_runs, settle
from dogan_agents.engine.healing import Kind, Watch, What
from dogan_agents.engine.lease import LEASE_SECONDS, disconnect, tell_of_takeover
from dogan_agents.engine.ports import Database, ErrorKind, Host, Row
from dogan_agents.engine.ready import PLACE, Call, Candidate, make_ready
from dogan_agents.engine.replace import replace, unplaced
from dogan_agents.engine.schedule import start_due
from dogan_agents.engine.sql import NOW, RUN, TASK, WORKER, marks, transaction

BATCH = 500  # rows a transaction at most
SLOT_BATCH = (
	20  # tasks made Ready for one free slot: one worker may take them all, and blocks what is too many
)
WAKE_UP_SECONDS = 5.0  # that work may be there without anybody at work on it
SHARED_CRASHES = (
	2  # of a step in a batch: after the first one it is performed alone, and then it is known who it was
)


@dataclass(slots=True)
class SweepReport:
	"""What a sweep found and mended."""

	dead: list[str] = field(default_factory=list)  # workers declared dead
	reclaimed: int = 0  # tasks taken from them
	parked: int = 0  # of these, parked as poison
	due: int = 0  # timers
	unblocked: int = 0  # tasks and runs handed a slot
	placed: int = 0  # tasks that got another place, or one at last
	started: int = 0  # runs, by the clock
	woken: set[Call] = field(default_factory=set)


def sweep(host: Host, db: Database) -> SweepReport:
	"""One turn. Each part commits for itself, and is done whatever becomes of the others; the first error is raised.

	The caller holds the leader's lease.
	"""
	report = SweepReport()
	now = int(db.query(f"SELECT {NOW}")[0][0])
	errors: list[Exception] = []
	for part in (
		_takeover, _reap, _timers, _tasks_unblocked, _runs_unblocked, _places, _schedules, _wake, _look
	):  # fmt: skip
		try:
			part(host, db, report, now)
		except Exception as error:
			host.log(f"sweep, {part.__name__.strip('_')}: {error}")
			errors.append(error)
	if errors:
		raise errors[0]
	return report


def _takeover(host: Host, db: Database, report: SweepReport, now: int) -> None:
	tell_of_takeover(host, db)


def _look(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Has anything else gone wrong, and has it helped what was done lately?"""
	outage.look(host, db, now)
	host.look_around()
	host.look_back()


def _reap(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Declare silent workers dead, then take back what they hold, and what workers without a row hold."""
	closed: dict[str, int] = {}  # connections
	rows = db.query(
		f"SELECT name, pool, node FROM {WORKER} WHERE status IN ('Idle', 'Busy') AND expires < {NOW}"
	)
	for worker, pool, node in rows:
		if db.execute(
			f"UPDATE {WORKER} SET status = 'Dead' WHERE name = %s AND status IN ('Idle', 'Busy') AND expires < {NOW}",
			(worker,),
		):
			report.dead.append(worker)
			closed[worker] = len(disconnect(db, worker))
			host.hands.gone(pool, worker, node or "")
	holders = db.query(f"SELECT DISTINCT running_on FROM {TASK} WHERE running_on IS NOT NULL")
	names = sorted({*report.dead, *(row[0] for row in holders)})
	if not names:
		return
	rows = db.query(
		f"SELECT name, status IN ('Idle', 'Busy'), node, pool FROM {WORKER} WHERE name IN ({marks(names)})",
		names,
	)
	known = {row[0]: row[1:] for row in rows}
	for worker in names:
		alive, node, pool = known.get(worker, (0, None, None))
		if not alive:
			taken: list[str] = []
			while _take_back(host, db, worker, report, now, taken):
				pass
			_tell_of_death(host, worker, worker in known, node, pool, taken, closed.get(worker, 0))


def _tell_of_death(
	host: Host,
	worker: str,
	known: bool,
	node: str | None,
	pool: str | None,
	taken: Sequence[str],
	closed: int,
) -> None:
	if known:
		kind, subject = Kind.WORKER_DIED, node or worker
		seen = f"{worker}, in the pool {pool}, was silent for more than {LEASE_SECONDS:.0f} s."
	elif taken:
		kind, subject = Kind.TASKS_ORPHANED, worker
		seen = f"{len(taken)} tasks were Running by {worker}, of which there is no row."
	else:
		return
	done = f"Tasks taken back from it: {len(taken)}. Connections of it closed: {closed}."
	host.healed(kind, subject, seen, done, watch=Watch.tasks(taken))


def _take_back(
	host: Host, db: Database, worker: str, report: SweepReport, now: int, taken: list[str]
) -> bool:
	"""Move up to BATCH tasks of a dead worker on, their names into `taken`; True when it may have more."""
	found = db.query(f"SELECT name, run FROM {TASK} WHERE running_on = %s LIMIT %s", (worker, BATCH))
	if not found:
		return False
	with transaction(db):
		runs = lock_runs(db, {run for _, run in found})
		tasks = db.query(
			f"SELECT name, run, step, pool, crashes + 1, external, place FROM {TASK} WHERE name IN ({marks(found)}) "
			"AND running_on = %s AND status = 'Running' ORDER BY name FOR UPDATE",
			(*(name for name, _ in found), worker),
		)
		poison = [task for task in tasks if task[4] >= _max_crashes(host, runs[task[1]], task[2], task[5])]
		_park(host, db, runs, poison, worker, now)
		_requeue(host, db, runs, [task for task in tasks if task not in poison], now)
		settle(host, db, {run: runs[run] for _, run, *_ in tasks}, Forward(), now)
	report.reclaimed += len(tasks)
	report.parked += len(poison)
	taken.extend(task[0] for task in tasks)
	for name, run, step, _, crashes, *_ in poison:
		host.healed(
			Kind.TASK_PARKED,
			f"{host.spec(runs[run].version).workflow}: {step}",
			f"Task {name} killed its worker {crashes} times, last {worker}.",
			"It was parked: a person must look at it.",
		)
	return len(found) == BATCH


def _max_crashes(host: Host, run: RunRow, step: str, external: int) -> int:
	most = host.spec(run.version).by_name[step].max_attempts or host.settings().default_max_attempts
	return most if external else max(most, SHARED_CRASHES)


def _park(
	host: Host, db: Database, runs: dict[str, RunRow], tasks: Sequence[Row], worker: str, now: int
) -> None:
	for name, run, step, _, crashes, *_ in tasks:
		reason = (
			f"The worker died {crashes} times while it performed this step, last on {worker}. "
			"Find out what the step does to its process before you retry it."
		)
		db.execute(
			f"UPDATE {TASK} SET status = 'Parked', running_on = NULL, lease_token = lease_token + 1, crashes = %s, "
			"error = %s, error_kind = %s, ended_at = %s WHERE name = %s",
			(crashes, reason, ErrorKind.CRASH.value, host.local(now), name),
		)
		runs[run].active -= 1
		if not runs[run].failing:
			runs[run].error = f"{step}: {reason}"


def _requeue(host: Host, db: Database, runs: dict[str, RunRow], tasks: Sequence[Row], now: int) -> None:
	if not tasks:
		return
	names = [task[0] for task in tasks]
	db.execute(
		f"UPDATE {TASK} SET running_on = NULL, lease_token = lease_token + 1, crashes = crashes + 1 "
		f"WHERE name IN ({marks(names)})",
		names,
	)
	again = [Candidate(task[0], task[3], task[6], flow(host, runs[task[1]])) for task in tasks]
	make_ready(host, db, again, now, front=True)


def _timers(host: Host, db: Database, report: SweepReport, now: int) -> None:
	while True:
		found = db.query(f"SELECT name, run FROM {TASK} WHERE due > 0 AND due <= %s LIMIT %s", (now, BATCH))
		if found:
			with transaction(db):
				report.due += _due(host, db, found, now)
		if len(found) < BATCH:
			return


def _due(host: Host, db: Database, found: Sequence[Row], now: int) -> int:
	runs = lock_runs(db, {run for _, run in found})
	tasks = db.query(
		f"SELECT name, run, pool, place FROM {TASK} WHERE name IN ({marks(found)}) AND status = 'Waiting' "
		"AND due > 0 AND due <= %s ORDER BY name FOR UPDATE",
		(*(name for name, _ in found), now),
	)
	again = [Candidate(name, pool, place, flow(host, runs[run])) for name, run, pool, place in tasks]
	make_ready(host, db, again, now, front=True)
	for _, run, *_ in tasks:
		runs[run].active += 1
	settle(host, db, {run: runs[run] for _, run, *_ in tasks}, Forward(), now)
	return len(tasks)


def _tasks_unblocked(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Hand the slots that are free to blocked tasks, the oldest of each limit first."""
	for key in limits.blocked_keys(db):
		if key.startswith(PLACE):
			continue
		with transaction(db):
			report.unblocked += hand_over(host, db, key, now)


def hand_over(host: Host, db: Database, key: str, now: int) -> int:
	"""Make as many tasks that are blocked on `key` Ready as it has slots free."""
	limits.lock(db)
	tasks = db.query(
		f"SELECT name, run, pool, agent, limit_key, place FROM {TASK} WHERE blocked_on = %s "
		"AND blocked_on = %s COLLATE utf8mb4_bin ORDER BY creation, name LIMIT %s FOR UPDATE SKIP LOCKED",
		(key, key, BATCH),
	)
	if not tasks:
		return 0
	capacity = {limited.key: limited.capacity for limited in limits.of_task(host, tasks[0][3], tasks[0][4])}
	free = capacity.get(key, BATCH) - len(limits.busy(db, [key])[key])
	chosen = tasks[: max(free, 0) * SLOT_BATCH]
	flows = _flows(host, db, {task[1] for task in chosen}) if chosen else {}
	make_ready(host, db, [Candidate(task[0], task[2], task[5], flows[task[1]]) for task in chosen], now)
	return len(chosen)


def _flows(host: Host, db: Database, names: Iterable[str]) -> dict[str, order.Flow]:
	wanted = sorted(names)
	rows = db.query(
		f"SELECT name, version, priority, fair_key FROM {RUN} WHERE name IN ({marks(wanted)})", wanted
	)
	return {
		name: order.Flow(priority, key, host.spec(version).weight) for name, version, priority, key in rows
	}


def _runs_unblocked(host: Host, db: Database, report: SweepReport, now: int) -> None:
	for (key,) in db.query(f"SELECT DISTINCT blocked_on FROM {RUN} WHERE blocked_on IS NOT NULL"):
		with transaction(db):
			report.unblocked += unblock(host, db, key.removeprefix(limits.WORKFLOW), now)


def _places(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Find another place for what waits for a node that may not work, and one for what had none."""
	report.placed = replace(host, db, now) + unplaced(host, db, now)


def _schedules(host: Host, db: Database, report: SweepReport, now: int) -> None:
	report.started = start_due(host, db, now)


def _wake(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Wake each pool that has ready tasks, and one for queued runs; a pool with a drain at work takes no harm."""
	if not host.settings().enabled:
		return
	waiting = db.query(f"SELECT DISTINCT pool, COALESCE(target, '') FROM {TASK} WHERE ready_key > 0")
	report.woken = {(pool, node) for pool, node in waiting}
	queued: dict[Call, datetime] = {}
	for version, at in db.query(
		f"SELECT version, creation FROM {RUN} WHERE queue_key > 0 ORDER BY queue_key LIMIT 1"
	):
		queued[host.spec(version).entry_pool, ""] = at
	report.woken.update(queued)
	late = host.local(now - int(WAKE_UP_SECONDS * 1e6))
	for pool, node in report.woken:
		if host.hands.wake(pool, node):
			since = queued.get((pool, node)) or _ready_since(db, pool, node)
			if since and since < late and not _at_work(host, db, pool, node):
				_tell_of_wake_up(host, pool, node, since)


def _ready_since(db: Database, pool: str, node: str) -> datetime | None:
	"""When the task at the head of the queue became ready."""
	rows = db.query(
		f"SELECT ready_at FROM {TASK} WHERE pool = %s AND target <=> %s AND ready_key > 0 ORDER BY ready_key LIMIT 1",
		(pool, node or None),
	)
	return rows[0][0] if rows else None


def _at_work(host: Host, db: Database, pool: str, node: str) -> bool:
	"""Whether somebody is at work there, and only Redis does not know; or as many are as may be."""
	rows = db.query(
		f"SELECT pool, node, status FROM {WORKER} WHERE status IN ('Idle', 'Busy') AND expires > {NOW}"
	)
	most = host.settings().max_agents
	there = any(row[0] == pool and node in ("", row[1]) for row in rows)
	return there or 0 < most <= sum(row[2] == "Busy" for row in rows)


def _tell_of_wake_up(host: Host, pool: str, node: str, since: datetime) -> None:
	host.healed(
		Kind.WAKE_UP_LOST,
		pool,
		f"Work in the pool {pool}{' for ' + node if node else ''} had been ready since {since:%H:%M:%S}, and nobody "
		"was at work or called.",
		"A worker was called.",
		watch=Watch(What.POOL, (pool,)),
		same_for=60.0,
	)
