"""Measure the engine and its peers: `python -m benchmarks [--only NAME] [--rounds N] [--runs N]`."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime, timezone

from rich.console import Console

from benchmarks import machine, report
from benchmarks.case import Result
from benchmarks.cases.registry import CASES, chosen
from benchmarks.places import BUILD
from benchmarks.run import run

WIDTH = 150  # of what is not a terminal


def main() -> None:
	options = _options()
	console, results = Console(width=None if sys.stdout.isatty() else WIDTH), list[Result]()
	described = machine.describe()
	for case in chosen(options.only):
		with console.status(f"Measuring {case.title}"):
			results.append(run(case, options.runs, options.rounds))
		console.print(_line(results[-1]))
	report.show(results, console)
	_write(described, results)


def _line(result: Result) -> str:
	if not result.figures:
		return f"{result.case.title}: missing"
	shown = ", ".join(f"{figure:,.1f}" for figure in result.figures)
	return f"{result.case.title}: {shown} {result.case.group.unit}"


def _write(described: machine.Machine, results: list[Result]) -> None:
	BUILD.mkdir(exist_ok=True)
	measured_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
	document = {"measured_at": measured_at, "machine": asdict(described), "cases": report.as_data(results)}
	(BUILD / "benchmark.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _options() -> argparse.Namespace:
	parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
	names = ", ".join(case.name for case in CASES)
	parser.add_argument(
		"--only",
		action="append",
		default=[],
		metavar="NAME",
		help=f"a case or the beginning of its name; again for more: {names}",
	)
	parser.add_argument("--rounds", type=int, default=3, help="rounds of each case")
	parser.add_argument("--runs", type=int, default=500, help="runs in a round")
	return parser.parse_args()


if __name__ == "__main__":
	main()
