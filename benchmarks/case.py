"""What is measured, and what came of it."""

from dataclasses import dataclass, field
from enum import Enum
from statistics import median


class Home(Enum):
	PEERS = "peers"  # the benchmark's own venv, in build/
	OURS = "ours"  # this project's .venv
	BENCH = "bench"  # a bench's env, with a site


class Service(Enum):
	REDIS = "redis"
	POSTGRES = "postgres"


class Role(Enum):
	PEER = "peer"  # what others do: the yardstick of its group
	OURS = "ours"


@dataclass(frozen=True)
class Group:
	"""Cases that do the same work, so that their figures can be compared."""

	title: str
	unit: str
	lower_is_better: bool = False

	def best(self, figures: tuple[float, ...]) -> float:
		return min(figures) if self.lower_is_better else max(figures)


@dataclass(frozen=True)
class Goal:
	"""What we mean to reach: a ratio to the yardstick, or a figure to stay under."""

	ratio: float = 0.0
	under: float = 0.0

	def reached(self, figure: float, ratio: float | None) -> bool | None:
		"""None: it cannot be told, because there is nothing to compare with."""
		if self.under:
			return figure < self.under
		return None if ratio is None else ratio >= self.ratio

	def __str__(self) -> str:
		return f"under {self.under:g}" if self.under else f"{self.ratio:g} ×"


@dataclass(frozen=True)
class Case:
	"""One thing to measure: a program of its own process (see `program.py`)."""

	name: str
	title: str
	group: Group
	role: Role
	home: Home
	module: str
	promise: str  # what survives when a worker or the machine dies, in a phrase
	where_time_goes: tuple[str, str]
	services: tuple[Service, ...] = ()
	requires: tuple[str, ...] = ()  # requirement specifiers, for the peers' venv
	most_runs: int | None = None  # for slow cases: --runs is cut to this
	most_rounds: int | None = None
	goal: Goal | None = None
	options: tuple[str, ...] = ()  # what else its program is told
	yardstick: str = ""  # the case to compare with; else the best peer of the group

	def runs(self, wanted: int) -> int:
		return min(wanted, self.most_runs or wanted)

	def rounds(self, wanted: int) -> int:
		return min(wanted, self.most_rounds or wanted)


@dataclass(frozen=True)
class Result:
	case: Case
	runs: int
	figures: tuple[float, ...] = ()
	versions: dict[str, str] = field(default_factory=dict)
	problem: str = ""  # why there is no figure, or not all of them
	notes: tuple[str, ...] = ()  # what else was seen
	busy_before: float = 0.0  # the share of the machine that other work took

	@property
	def best(self) -> float | None:
		return self.case.group.best(self.figures) if self.figures else None

	@property
	def median(self) -> float | None:
		return median(self.figures) if self.figures else None
