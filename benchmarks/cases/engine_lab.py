"""The engine on the lab host."""

from benchmarks.case import Case, Goal, Group, Home, Role
from benchmarks.cases.groups import BACKLOG, IDLE, W

PROMISE = "steps, results and successors on disk in one transaction; survives any process"


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
	most_rounds: int | None = None,
) -> Case:
	return Case(
		name,
		title,
		group,
		Role.OURS,
		Home.OURS,
		f"benchmarks.lab.{module}",
		PROMISE,
		where_time_goes,
		most_runs=most_runs,
		most_rounds=most_rounds,
		goal=goal,
		yardstick=yardstick,
	)


CASES = (
	_engine(
		"engine_lab",
		"Dogan Agents, one start a commit",
		W,
		"diamond",
		Goal(ratio=3),
		(
			"The one process that starts: two statements, a commit to disk and a Redis call each, one after the other;",
			"the workers keep pace with small batches and are never the ones waited for.",
		),
	),
	_engine(
		"engine_lab_bulk",
		"Dogan Agents, a hundred starts a commit",
		W,
		"diamond_bulk",
		Goal(ratio=3),
		(
			"Python: templates, checking inputs, JSON; then MariaDB's work on the rows of claim and completion,",
			"a few statements for up to a hundred steps.",
		),
	),
	_engine(
		"engine_lab_idle_fresh",
		"Dogan Agents, a fresh RQ job",
		IDLE,
		"first_step_fresh",
		Goal(under=150),
		(
			"RQ's worker takes the job and forks; the child connects to MariaDB and registers its lease",
			"before it claims.",
		),
		most_runs=20,
	),
	_engine(
		"engine_lab_idle_live",
		"Dogan Agents, a live drain",
		IDLE,
		"first_step_live",
		Goal(under=20),
		("The start's commit, a Redis wake-up, and the claim's transaction.", "Nothing is polled."),
		most_runs=20,
	),
	_engine(
		"engine_lab_backlog",
		"Dogan Agents, 100,000 ready",
		BACKLOG,
		"backlog",
		Goal(ratio=0.7),
		(
			"As on work W, with an index of a hundred thousand rows under the claim;",
			"each run has two hundred steps, so a run's row is touched more often.",
		),
		yardstick="engine_lab_bulk",
		most_rounds=1,
	),
)
