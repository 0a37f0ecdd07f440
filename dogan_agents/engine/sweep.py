"""The sweep mends what nobody else would notice. One leader calls it each second."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dogan_agents.engine import limits, order
from dogan_agents.engine.admit import running, unblock
from dogan_agents.engine.complete import RunRow, lock_runs, make_ready
from dogan_agents.engine.ports import Database, ErrorKind, Host
from dogan_agents.engine.schedule import start_due
from dogan_agents.engine.sql import NOW, RUN, TASK, WORKER, marks

BATCH = 500  # rows a transaction at most


@dataclass(slots=True)
class SweepReport:
	"""What a sweep found and mended."""

	dead: list[str] = field(default_factory=list)  # workers declared dead
	reclaimed: int = 0  # tasks taken from them
	parked: int = 0  # of these, parked as poison
	due: int = 0  # timers
	unblocked: int = 0  # tasks and runs handed a slot
	woken: set[str] = field(default_factory=set)  # pools


def sweep(host: Host, db: Database) -> SweepReport:
	"""One turn. Each part commits for itself; the caller holds the leader's lease."""
	report = SweepReport()
	now = int(db.query(f"SELECT {NOW}")[0][0])
	_reap(host, db, report, now)
	_timers(host, db, report, now)
	_tasks_unblocked(host, db, report, now)
	_runs_unblocked(host, db, report, now)
	start_due(host, db, now)
	_wake(host, db, report)
	return report


def _reap(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Declare silent workers dead, then take back what they hold, and what workers without a row hold."""
	rows = db.query(f"SELECT name FROM {WORKER} WHERE status IN ('Idle', 'Busy') AND expires < {NOW}")
	for (worker,) in rows:
		if db.execute(
			f"UPDATE {WORKER} SET status = 'Dead' WHERE name = %s AND status IN ('Idle', 'Busy') AND expires < {NOW}",
			(worker,),
		):
			report.dead.append(worker)
	holders = db.query(f"SELECT DISTINCT running_on FROM {TASK} WHERE running_on IS NOT NULL")
	if not holders:
		return
	names = [row[0] for row in holders]
	living = db.query(
		f"SELECT name FROM {WORKER} WHERE name IN ({marks(names)}) AND status IN ('Idle', 'Busy')", names
	)
	for worker in sorted(set(names) - {row[0] for row in living}):
		while _take_back(host, db, worker, report, now):
			pass


def _take_back(host: Host, db: Database, worker: str, report: SweepReport, now: int) -> bool:
	"""Move up to BATCH tasks of a dead worker on; True when it may have more."""
	db.begin()
	try:
		found = db.query(f"SELECT name, run FROM {TASK} WHERE running_on = %s LIMIT %s", (worker, BATCH))
		runs = lock_runs(db, {run for _, run in found})
		tasks = db.query(
			f"SELECT name, run, step, pool, crashes + 1 FROM {TASK} WHERE name IN ({marks(found)}) "
			"AND running_on = %s AND status = 'Running' ORDER BY name FOR UPDATE",
			(*(name for name, _ in found), worker),
		) if found else ()  # fmt: skip
		poison = [task for task in tasks if task[4] >= _max_attempts(host, runs[task[1]], task[2])]
		again = [task for task in tasks if task not in poison]
		_park(host, db, runs, poison, worker, now)
		_requeue(host, db, runs, again, now)
		db.commit()
	except BaseException:
		db.rollback()
		raise
	report.reclaimed += len(tasks)
	report.parked += len(poison)
	return len(found) == BATCH


def _max_attempts(host: Host, run: RunRow, step: str) -> int:
	return host.spec(run.version).by_name[step].max_attempts or host.settings().default_max_attempts


def _park(
	host: Host, db: Database, runs: dict[str, RunRow], tasks: Sequence[tuple], worker: str, now: int
) -> None:
	for name, run_name, step, _, crashes in tasks:
		reason = (
			f"The worker died {crashes} times while it performed this step, last on {worker}. "
			"Find out what the step does to its process before you retry it."
		)
		db.execute(
			f"UPDATE {TASK} SET status = 'Parked', running_on = NULL, lease_token = lease_token + 1, crashes = %s, "
			"error = %s, error_kind = %s, ended_at = %s WHERE name = %s",
			(crashes, reason, ErrorKind.CRASH.value, host.local(now), name),
		)
		run = runs[run_name]
		run.active -= 1
		db.execute(
			f"UPDATE {RUN} SET tasks_active = %s, status = %s, error = %s WHERE name = %s",
			(run.active, "Running" if run.active > 0 else "Waiting", f"{step}: {reason}", run_name),
		)


def _requeue(host: Host, db: Database, runs: dict[str, RunRow], tasks: Sequence[tuple], now: int) -> None:
	if not tasks:
		return
	names = [task[0] for task in tasks]
	db.execute(
		f"UPDATE {TASK} SET running_on = NULL, lease_token = lease_token + 1, crashes = crashes + 1 "
		f"WHERE name IN ({marks(names)})",
		names,
	)
	_ready_by_pool(host, db, [(task[0], runs[task[1]], task[3]) for task in tasks], now)


def _ready_by_pool(host: Host, db: Database, tasks: Sequence[tuple[str, RunRow, str]], now: int) -> None:
	for pool in dict.fromkeys(pool for *_, pool in tasks):
		mine = [(name, run) for name, run, place in tasks if place == pool]
		flows = [order.Flow(run.priority, run.fair_key) for _, run in mine]
		make_ready(host, db, pool, [name for name, _ in mine], flows, now, front=True)


def _timers(host: Host, db: Database, report: SweepReport, now: int) -> None:
	while True:
		db.begin()
		try:
			found = db.query(
				f"SELECT name, run FROM {TASK} WHERE due > 0 AND due <= %s LIMIT %s", (now, BATCH)
			)
			done = _due(host, db, [name for name, _ in found], {run for _, run in found}, now) if found else 0
			db.commit()
		except BaseException:
			db.rollback()
			raise
		report.due += done
		if len(found) < BATCH:
			return


def _due(host: Host, db: Database, names: Sequence[str], run_names: set[str], now: int) -> int:
	runs = lock_runs(db, run_names)
	tasks = db.query(
		f"SELECT name, run, pool FROM {TASK} WHERE name IN ({marks(names)}) AND status = 'Waiting' AND due > 0 "
		"ORDER BY name FOR UPDATE",
		names,
	)
	_ready_by_pool(host, db, [(name, runs[run], pool) for name, run, pool in tasks], now)
	for _, run, _ in tasks:
		runs[run].active += 1
	for run in {run for _, run, _ in tasks}:
		db.execute(
			f"UPDATE {RUN} SET tasks_active = %s, status = 'Running' WHERE name = %s", (runs[run].active, run)
		)
	return len(tasks)


def _tasks_unblocked(host: Host, db: Database, report: SweepReport, now: int) -> None:
	"""Hand the slots that are free to blocked tasks, the oldest of each limit first."""
	for key in limits.blocked_keys(db):
		db.begin()
		try:
			limits.lock(db)
			report.unblocked += hand_over(host, db, key, now)
			db.commit()
		except BaseException:
			db.rollback()
			raise


def hand_over(host: Host, db: Database, key: str, now: int) -> int:
	"""Make as many tasks that are blocked on `key` Ready as it has slots free. The limits are locked."""
	tasks = db.query(
		f"SELECT name, run, pool, agent, limit_key FROM {TASK} WHERE blocked_on = %s ORDER BY creation, name "
		"LIMIT %s FOR UPDATE SKIP LOCKED",
		(key, BATCH),
	)
	if not tasks:
		return 0
	capacity = {limited.key: limited.capacity for limited in limits.of_task(host, tasks[0][3], tasks[0][4])}
	free = capacity.get(key, BATCH) - len(limits.busy(db, [key])[key])
	chosen = tasks[: max(free, 0) * SLOT_BATCH]
	if chosen:
		runs = {row[0]: row for row in _flows(db, [task[1] for task in chosen])}
		for pool in dict.fromkeys(task[2] for task in chosen):
			mine = [task for task in chosen if task[2] == pool]
			flows = [order.Flow(*runs[task[1]][1:]) for task in mine]
			make_ready(host, db, pool, [task[0] for task in mine], flows, now, front=True)
	return len(chosen)


SLOT_BATCH = (
	20  # tasks made Ready for one free slot: one worker may take them all, and blocks what is too many
)


def _flows(db: Database, runs: Sequence[str]) -> Sequence[tuple]:
	return db.query(f"SELECT name, priority, fair_key FROM {RUN} WHERE name IN ({marks(runs)})", runs)


def _runs_unblocked(host: Host, db: Database, report: SweepReport, now: int) -> None:
	for (key,) in db.query(f"SELECT DISTINCT blocked_on FROM {RUN} WHERE blocked_on IS NOT NULL"):
		workflow = key.removeprefix(limits.WORKFLOW)
		db.begin()
		try:
			limits.lock(db)
			places = host.max_concurrent(workflow)
			free = places - running(db, workflow) if places else BATCH
			report.unblocked += unblock(db, workflow, free, now) if free > 0 else 0
			db.commit()
		except BaseException:
			db.rollback()
			raise


def _wake(host: Host, db: Database, report: SweepReport) -> None:
	"""Wake each pool that has ready tasks, and one for queued runs; a pool with a drain at work takes no harm."""
	pools = {row[0] for row in db.query(f"SELECT DISTINCT pool FROM {TASK} WHERE ready_key > 0")}
	for (version,) in db.query(f"SELECT version FROM {RUN} WHERE queue_key > 0 ORDER BY queue_key LIMIT 1"):
		pools.add(host.spec(version).entry_pool)
	for pool in pools:
		host.hands.wake(pool)
	report.woken = pools
