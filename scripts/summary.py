"""Sums up the suites of scripts/test: a table, and the line `N passed, N failed[, N skipped]`.

Reads suites.tsv (suite, exit code, seconds) and SUITE.xml (JUnit) in the folder given. A suite that
ended badly without naming a failed test counts as one failure. Exit code 1 if anything failed.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

NO_TESTS = 5  # pytest's exit code


@dataclass(frozen=True)
class Suite:
	name: str
	code: int
	seconds: int
	passed: int = 0
	failed: int = 0
	skipped: int = 0


def read_suites(folder: Path) -> list[Suite]:
	table = folder / "suites.tsv"
	lines = table.read_text().splitlines() if table.exists() else []
	return [read_suite(folder, *line.split("\t")) for line in lines]


def read_suite(folder: Path, name: str, code: str, seconds: str) -> Suite:
	passed, failed, skipped = read_counts(folder / f"{name}.xml")
	broke = int(code) not in (0, NO_TESTS) and not failed
	return Suite(name, int(code), int(seconds), passed, failed + broke, skipped)


def read_counts(path: Path) -> tuple[int, int, int]:
	"""(passed, failed, skipped); zeros if the suite ended before it wrote its report."""
	try:
		cases = list(ElementTree.parse(path).iter("testcase"))
	except (OSError, ElementTree.ParseError):
		return 0, 0, 0
	failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
	skipped = sum(case.find("skipped") is not None for case in cases)
	return len(cases) - failed - skipped, failed, skipped


def main(folder: Path) -> int:
	suites = read_suites(folder)
	print(f"{'suite':10} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
	for suite in suites:
		note = f"  exit code {suite.code}" if suite.code not in (0, 1) else ""
		print(f"{suite.name:10} {suite.passed:7} {suite.failed:7} {suite.skipped:8} {suite.seconds:8}{note}")
	passed, failed, skipped = (
		sum(getattr(suite, count) for suite in suites) for count in ("passed", "failed", "skipped")
	)
	print()
	print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
	return 1 if failed or not passed else 0


if __name__ == "__main__":
	sys.exit(main(Path(sys.argv[1])))
