"""What several tests on the site do."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import frappe

from dogan_agents.engine.drain import drain
from dogan_agents.host.frappe import start_run, sweep_tick
from dogan_agents.host.site import DrainHost

from .conftest import POOL

ENDED = ("Completed", "Failed", "Cancelled")


def work_off() -> None:
	"""Drain the tests' pool in this process, as an RQ worker would, until nothing is ready or soon will be."""
	frappe.db.commit()
	host = DrainHost()
	end = time.monotonic() + 120
	drain(host, POOL)
	while _has_more():
		assert time.monotonic() < end, "the pool does not run empty"
		time.sleep(0.1)
		sweep_tick()
		drain(host, POOL)
	host.own.reset()
	frappe.set_user("Administrator")
	frappe.db.rollback()


def _has_more() -> bool:
	frappe.db.rollback()
	soon = int((time.time() + 2) * 1e6)
	return bool(
		frappe.db.sql(
			"SELECT name FROM `tabDogan Task` WHERE pool = %s AND (status IN ('Ready', 'Running') OR "
			"(status = 'Waiting' AND due < %s)) LIMIT 1",
			(POOL, soon),
		)
	)


def carry_out(workflow: Any, user: str | None = None, **input: Any) -> Any:
	"""Start a run and do all of its work here; the run as it is then."""
	run = start_run(workflow.name, input, user=user)["run"]
	work_off()
	return frappe.get_doc("Dogan Run", run)


def run_of(workflow: Any, **filters: Any) -> Any:
	"""The one run of the workflow."""
	frappe.db.rollback()
	names = frappe.get_all("Dogan Run", {"workflow": workflow.name, **filters}, pluck="name")
	assert len(names) == 1, names
	return frappe.get_doc("Dogan Run", names[0])


def runs_of(workflow: Any) -> list[str]:
	frappe.db.rollback()
	return frappe.get_all("Dogan Run", {"workflow": workflow.name}, pluck="name", order_by="creation")


def task_of(run: Any, step: str) -> Any:
	return frappe.get_doc("Dogan Task", f"{getattr(run, 'name', run)}-{step}")


def output_of(run: Any, step: str) -> Any:
	return frappe.parse_json(task_of(run, step).output)


def python(code: str, *arguments: str) -> subprocess.Popen:
	"""Another process of the bench, connected to the site; `sys.argv[1:]` are the arguments."""
	prelude = f"import sys, frappe\nfrappe.init(site={frappe.local.site!r})\nfrappe.connect()\n"
	return subprocess.Popen(
		[sys.executable, "-c", prelude + code, *arguments],
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
		text=True,
	)


def succeed(process: subprocess.Popen) -> str:
	"""Wait for a process that must end well; what it wrote."""
	out, _ = process.communicate(timeout=120)
	assert process.returncode == 0, out
	return out


def bench(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
	"""What `bench --site SITE …` runs."""
	command = [
		sys.executable,
		"-m",
		"frappe.utils.bench_helper",
		"frappe",
		"--site",
		frappe.local.site,
		*arguments,
	]
	return subprocess.run(
		command,
		capture_output=True,
		text=True,
		timeout=120,
		cwd=Path.cwd(),
		env={**os.environ, **(env or {})},
	)
