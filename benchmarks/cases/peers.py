"""The peers on work W. Versions are pinned: a ratio is worth something only against a known peer."""

from benchmarks.case import Case, Home, Role, Service
from benchmarks.cases.groups import W

PSYCOPG = "psycopg[binary,pool]==3.3.9"

# RQ 3.0 leaves a few of these joins deferred for ever: when B and C end at the same moment, D is never queued.
RQ = ("rq==2.12.0", "redis==8.1.0")


def _peer(
	name: str,
	title: str,
	requires: tuple[str, ...],
	services: tuple[Service, ...],
	promise: str,
	where_time_goes: tuple[str, str],
) -> Case:
	module = f"benchmarks.peers.{name}"
	return Case(name, title, W, Role.PEER, Home.PEERS, module, promise, where_time_goes, services, requires)


CASES = (
	_peer(
		"langgraph_sqlite",
		"LangGraph, SQLite",
		("langgraph==1.2.22", "langgraph-checkpoint-sqlite==3.1.2"),
		(),
		"each step on disk, behind the next; nobody resumes a dead run",
		(
			"Nearly all is Python in the graph's own loop and in packing checkpoints; a run never leaves its",
			"process, so there is no hand-over to pay for. Each process has a database file of its own.",
		),
	),
	_peer(
		"celery_canvas",
		"Celery canvas, Redis",
		("celery==5.7.0", "redis==8.1.0"),
		(Service.REDIS,),
		"none: Redis's memory; a step is lost with its worker",
		(
			"Thirty Redis commands a step: message, result, its expiry and publication, the chord's counter; the",
			"parent of the prefork pool hands each message to a child through a pipe.",
		),
	),
	_peer(
		"rq_simple",
		"RQ depends_on, SimpleWorker",
		RQ,
		(Service.REDIS,),
		"none: Redis's memory; successors of a lost job wait for ever",
		(
			"Eighty Redis commands in thirty round trips a job: status, registries, result, then each dependent",
			"is looked at under WATCH, which is tried again when B and C end together.",
		),
	),
	_peer(
		"rq_forking",
		"RQ depends_on, forking Worker",
		RQ,
		(Service.REDIS,),
		"the same; a crash in a step spares the worker",
		(
			"A fork a job and waiting for it: most of a job's time is the kernel copying a Python process,",
			"then the same round trips as the SimpleWorker's.",
		),
	),
	_peer(
		"dbos_queue",
		"DBOS queue, PostgreSQL",
		("dbos==3.4.0", PSYCOPG),
		(Service.POSTGRES,),
		"each step on disk before the next; resumes a dead process's runs",
		(
			"A commit for each step, for the start, the claim and the end of a run, through SQLAlchemy; B and C run",
			"one after the other in the workflow function, which costs a trivial step nothing.",
		),
	),
	_peer(
		"procrastinate_postgres",
		"procrastinate, PostgreSQL",
		("procrastinate==3.10.0", PSYCOPG),
		(Service.POSTGRES,),
		"each job on disk; successors are queued by hand, so may be lost",
		(
			"Nine transactions and three flushes to disk a job: fetch, queue the successor, finish, each a stored",
			"function with triggers that write event rows; the join is a row that B and C both update.",
		),
	),
)
