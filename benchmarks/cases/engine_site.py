"""The engine on a site of a bench."""

from benchmarks.case import Case, Goal, Group, Home, Role, Service
from benchmarks.cases.groups import IDLE, MAIL_TO_LEAD, W_ON_A_SITE

PROMISE = "documents, results and successors on disk in one transaction; survives any process"


def _engine(
	name: str,
	title: str,
	group: Group,
	module: str,
	goal: Goal,
	where_time_goes: tuple[str, str],
	*,
	yardstick: str = "",
	most_runs: int | None = None,
) -> Case:
	return Case(
		name,
		title,
		group,
		Role.OURS,
		Home.BENCH,
		f"benchmarks.site.{module}",
		PROMISE,
		where_time_goes,
		services=(Service.REDIS,),
		most_runs=most_runs,
		goal=goal,
		yardstick=yardstick,
	)


CASES = (
	_engine(
		"engine_site_bulk",
		"Dogan Agents, a hundred starts a commit",
		W_ON_A_SITE,
		"diamond_bulk",
		Goal(ratio=50),
		(
			"The start: three statements each in Frappe's wrapping; then Python and MariaDB as on the lab host.",
			"The workers run at the niceness Frappe gives them: whatever else the machine does goes before them.",
		),
		yardstick="site_naive",
	),
	_engine(
		"engine_site_single",
		"Dogan Agents, one start a commit",
		W_ON_A_SITE,
		"diamond",
		Goal(ratio=50),
		(
			"The one process that starts: five statements, a commit to disk and a wake-up each, one after the other;",
			"the workers keep pace and wait for it.",
		),
		yardstick="site_naive",
	),
	_engine(
		"engine_site_mail",
		"Dogan Agents, a run each",
		MAIL_TO_LEAD,
		"mail_runs",
		Goal(ratio=0.8),
		(
			"ERPNext's own function, as in the loop, and a fifth on top: permissions, a lock on the address, the run,",
			"its step. Two workers hardly help: each new Lead locks its naming series until the commit.",
		),
		yardstick="site_mail_loop",
		most_runs=100,
	),
	_engine(
		"engine_site_idle_fresh",
		"On a site, a fresh job of a bench worker",
		IDLE,
		"first_step_fresh",
		Goal(under=150),
		(
			"RQ's worker takes the job and forks; the child connects to MariaDB, registers its lease and claims.",
			"The worker has imported the engine already, and nothing is loaded that the step does not need.",
		),
		most_runs=20,
	),
	_engine(
		"engine_site_idle_live",
		"On a site, a live drain",
		IDLE,
		"first_step_live",
		Goal(under=20),
		(
			"The start's commit, a Redis wake-up, and the claim's transaction.",
			"Nothing is polled.",
		),
		most_runs=20,
	),
)
