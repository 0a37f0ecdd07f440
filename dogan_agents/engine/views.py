"""What steps may look at: their run, its input, and the results of the steps before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dogan_agents.engine import payload
from dogan_agents.engine.claim import Claimed
from dogan_agents.engine.ids import task_name
from dogan_agents.engine.ports import Host
from dogan_agents.engine.spec import WorkflowSpec
from dogan_agents.engine.sql import RUN, TASK, marks


@dataclass(frozen=True, slots=True)
class View:
	spec: WorkflowSpec
	run: Mapping[str, Any]
	steps: Mapping[str, Mapping[str, Any]]

	def scope(self) -> dict[str, Any]:
		"""The names that templates and conditions know."""
		return {"run": self.run, "input": self.run["input"], "steps": self.steps}


def load(host: Host, tasks: Sequence[Claimed]) -> dict[str, View]:
	"""The view of each task, by its name, in two queries for all."""
	runs = _runs(host, sorted({task.run for task in tasks}))
	specs = {name: host.spec(run["version"]) for name, run in runs.items()}
	wanted = {task_name(task.run, step) for task in tasks for step in specs[task.run].steps_read[task.step]}
	results = _results(host, sorted(wanted)) if wanted else {}
	return {
		task.name: View(
			specs[task.run],
			runs[task.run],
			{
				step: results.get(task_name(task.run, step), {})
				for step in specs[task.run].steps_read[task.step]
			},
		)
		for task in tasks
	}


def _runs(host: Host, names: Sequence[str]) -> dict[str, dict[str, Any]]:
	rows = host.own.query(
		"SELECT name, workflow, version, input, user, reference_doctype, reference_name, priority "
		f"FROM {RUN} WHERE name IN ({marks(names)})",
		names,
	)
	keys = ("name", "workflow", "version", "input", "user", "reference_doctype", "reference_name", "priority")
	return {row[0]: dict(zip(keys, row, strict=True)) | {"input": payload.loads(row[3])} for row in rows}


def _results(host: Host, names: Sequence[str]) -> dict[str, dict[str, Any]]:
	rows = host.own.query(
		f"SELECT name, status, output, error FROM {TASK} WHERE name IN ({marks(names)})", names
	)
	return {
		name: {"status": status, "output": payload.loads(output), "error": error}
		for name, status, output, error in rows
	}
