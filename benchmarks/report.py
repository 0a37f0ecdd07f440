"""The results, for a person and for a program."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.case import Group, Result
from benchmarks.comparison import ratio, reached, yardstick
from benchmarks.machine import BUSY

SIGNS = {True: "reached", False: "missed", None: ""}
STYLES = {True: "green", False: "red", None: ""}


def show(results: Sequence[Result], console: Console) -> None:
	for group in dict.fromkeys(result.case.group for result in results):
		console.print(_table(group, results))
		console.print(_explanations(group, results), soft_wrap=True)
	for result in results:
		if result.problem:
			console.print(Text(f"{result.case.name}: {result.problem}", style="yellow"))
	if busy := [result.case.name for result in results if result.busy_before > BUSY]:
		console.print(
			Text(f"Other work kept the machine busy, figures may be low: {', '.join(busy)}", style="yellow")
		)


def as_data(results: Sequence[Result]) -> list[dict[str, object]]:
	return [_as_data(result, results) for result in results]


def _table(group: Group, results: Sequence[Result]) -> Table:
	table = Table(
		title=group.title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
	)
	table.add_column("", no_wrap=True)
	for heading in (f"{group.unit}, median", "best", "ratio", "goal"):
		table.add_column(heading, justify="right", no_wrap=True)
	table.add_column("what it promises")
	for result in _of(group, results):
		table.add_row(*_cells(result, results))
	return table


def _cells(result: Result, results: Sequence[Result]) -> Iterator[str | Text]:
	yield result.case.title
	if result.median is None or result.best is None:
		yield from (Text("missing", style="yellow"), "", "", "")
	else:
		told, met = ratio(result, results), reached(result, results)
		yield from (_number(result.median), _number(result.best))
		yield "" if told is None else f"{told:.2f} ×"
		yield Text(f"{result.case.goal or ''} {SIGNS[met]}".strip(), style=STYLES[met])
	yield result.case.promise


def _explanations(group: Group, results: Sequence[Result]) -> Text:
	return Text().join(_explanation(result) for result in _of(group, results) if result.figures)


def _explanation(result: Result) -> Text:
	first, second = result.case.where_time_goes
	notes = "".join(f"  {note}\n" for note in result.notes)
	return Text.assemble((result.case.title, "bold"), f"\n  {first}\n  {second}\n{notes}")


def _as_data(result: Result, results: Sequence[Result]) -> dict[str, object]:
	case, other = result.case, yardstick(result, results)
	return {
		"case": case.name,
		"title": case.title,
		"group": case.group.title,
		"unit": case.group.unit,
		"promise": case.promise,
		"runs": result.runs,
		"figures": list(result.figures),
		"best": result.best,
		"median": result.median,
		"compared_with": other.case.name if other else None,
		"ratio": ratio(result, results),
		"goal": str(case.goal) if case.goal else None,
		"reached": reached(result, results),
		"versions": result.versions,
		"problem": result.problem,
		"notes": list(result.notes),
		"busy_before": result.busy_before,
		"where_time_goes": list(case.where_time_goes),
	}


def _of(group: Group, results: Sequence[Result]) -> list[Result]:
	return [result for result in results if result.case.group == group]


def _number(figure: float) -> str:
	return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"
