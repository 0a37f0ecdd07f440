"""Work W on the engine. `trivial` adds one, so templates do the rest: what D gives is what `work.expected` says."""

from typing import Any

from benchmarks import work
from benchmarks.lab.program import LabProgram
from benchmarks.program import main, timed_steps, wait_until


def _step(name: str, depends_on: list[str], value: str) -> dict[str, Any]:
	return {
		"step": name,
		"action": "trivial",
		"depends_on": depends_on,
		"input": {"value": f"{{{{ {value} }}}}"},
	}


DEFINITION: dict[str, Any] = {
	"workflow": "diamond",
	"steps": [
		_step("a", [], "input.number"),
		_step("b", ["a"], "steps.a.output.value"),
		_step("c", ["a"], "steps.a.output.value * 2 - 1"),
		_step("d", ["b", "c"], "steps.b.output.value + steps.c.output.value - 1"),
	],
}


class Diamond(LabProgram):
	definition = DEFINITION

	def measure(self, runs: range) -> float:
		names: list[str] = []
		aim = self.completed() + len(runs)

		def perform() -> None:
			names.extend(self.submit_all(runs))
			wait_until(lambda: self.completed() >= aim, "the runs", every=0.01)

		figure = timed_steps(runs, perform)
		expected = {name: work.expected(number) for name, number in zip(names, runs, strict=True)}
		assert self.outputs(names, "d") == expected
		return figure

	def submit_all(self, runs: range) -> list[str]:
		return [self.submit(number) for number in runs]


if __name__ == "__main__":
	main(Diamond)
