"""Work W on the site: templates do the steps' work, so what D gives is what `work.expected` says."""

from typing import Any

from benchmarks import work
from benchmarks.program import main, timed_steps, wait_until
from benchmarks.site.program import SiteProgram


def _step(name: str, depends_on: str, value: str) -> dict[str, Any]:
	return {
		"step": name,
		"action": "set_values",
		"depends_on": depends_on,
		"input": {"values": {"value": f"{{{{ {value} }}}}"}},
	}


class Diamond(SiteProgram):
	steps = (
		_step("a", "", "input.number + 1"),
		_step("b", "a", "steps.a.output.value + 1"),
		_step("c", "a", "steps.a.output.value * 2"),
		_step("d", "b, c", "steps.b.output.value + steps.c.output.value"),
	)

	def measure(self, runs: range) -> float:
		names: list[str] = []
		aim = self.completed() + len(runs)

		def perform() -> None:
			names.extend(self.submit_all(runs))
			wait_until(lambda: self.completed() >= aim, "the runs", every=0.02)

		figure = timed_steps(runs, perform)
		assert self.outputs(names) == {
			name: work.expected(number) for name, number in zip(names, runs, strict=True)
		}
		return figure

	def submit_all(self, runs: range) -> list[str]:
		return [self.submit_and_commit({"number": number}) for number in runs]


if __name__ == "__main__":
	main(Diamond)
