"""All cases, in the order in which they are measured and shown."""

from benchmarks.case import Case
from benchmarks.cases import engine_lab, engine_site, nodes, peers, site

CASES: tuple[Case, ...] = (
	*peers.CASES,
	*engine_lab.CASES,
	*nodes.CASES,
	*site.CASES,
	*engine_site.CASES,
)


def chosen(names: list[str]) -> list[Case]:
	"""The cases whose name begins with one of these, all of them if there are none."""
	return [case for case in CASES if not names or case.name.startswith(tuple(names))]
