"""bench --site SITE dogan …: start and watch runs, and see whether everything is in order."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click
import frappe
from frappe.commands import get_site, pass_context

if {"worker", "worker-pool"} & set(sys.argv):
	import_module("dogan_agents.host.preload")  # bench imports this file for each of its commands

POLL_SECONDS = 0.2
ENDED = ("Completed", "Failed", "Cancelled", "Compensated")
COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.group()
def dogan() -> None:
	"""Workflows of Dogan Agents."""


@dogan.command()
@click.argument("workflow")
@click.option("--input", "data", default="{}", help="The run's input, a JSON object.")
@click.option("--key", default=None, help="Idempotency key: the same key gives the same run.")
@click.option("--user", default=None, help="In whose name the run works (Administrator when not given).")
@click.option("--wait", is_flag=True, help="Wait for the end; exit code 1 unless the run completes.")
@pass_context
def run(context: Any, workflow: str, data: str, key: str | None, user: str | None, wait: bool) -> None:
	"""Start a run of WORKFLOW."""
	with _site(context):
		from dogan_agents.host.frappe import start_run

		with _readable_errors():
			started = start_run(
				workflow, _json(data), idempotency_key=key, user=_user(user), trigger="manual"
			)
		frappe.db.commit()
		click.echo(started["run"])
		if wait and _follow(started["run"]) != "Completed":
			sys.exit(1)


@dogan.command()
@click.option("--status", default=None, help="Only runs of this status.")
@click.option("--workflow", default=None, help="Only runs of this workflow.")
@click.option("--limit", default=20, show_default=True, help="How many, the latest first.")
@pass_context
def runs(context: Any, status: str | None, workflow: str | None, limit: int) -> None:
	"""List the latest runs."""
	with _site(context):
		wanted = {"status": status and status.capitalize(), "workflow": workflow}
		rows = frappe.get_all(
			"Dogan Run",
			{field: value for field, value in wanted.items() if value},
			[
				"name",
				"workflow",
				"status",
				"tasks_total",
				"tasks_open",
				"creation",
				"started_at",
				"ended_at",
				"error",
			],
			order_by="creation desc",
			limit=limit,
		)
		_table(("Run", "Workflow", "Status", "Steps", "Started", "Seconds", "Error"), map(_cells, rows))


@dogan.command()
@click.argument("run")
@pass_context
def retry(context: Any, run: str) -> None:
	"""Take up RUN where it stopped."""
	with _site(context):
		from dogan_agents.host.frappe import retry_run

		with _readable_errors():
			retry_run(run)
		frappe.db.commit()
		click.echo(f"{run}: {_status(run)}")


@dogan.command()
@click.argument("run")
@pass_context
def cancel(context: Any, run: str) -> None:
	"""End RUN at once."""
	with _site(context):
		from dogan_agents.host.frappe import cancel_run

		with _readable_errors():
			cancel_run(run)
		frappe.db.commit()
		click.echo(f"{run}: {_status(run)}")


@dogan.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@pass_context
def doctor(context: Any, as_json: bool) -> None:
	"""Say whether everything is in order, and what to do where it is not. Exit code 1 when something fails."""
	with _site(context):
		from dogan_agents.doctor.examine import examine

		findings = list(examine())
		if as_json:
			fields = ("check", "level", "text", "remedy")
			click.echo(
				json.dumps([{field: getattr(item, field) for field in fields} for item in findings], indent=1)
			)
		else:
			for item in findings:
				level = click.style(f"{item.level.value:<5}", fg=COLOURS[item.level.value])
				click.echo(f"{level} {item.check:<14} {item.text}")
				if item.remedy:
					click.echo(f"{'':20} → {item.remedy}")
		if any(item.level.value == "fail" for item in findings):
			sys.exit(1)


@dogan.command()
@click.option(
	"--queues", required=True, help="Queues of pools, with commas; the first ones are served first."
)
@click.option("--name", default=None, help="The worker's name on Redis (made up when not given).")
@click.option("--quiet", is_flag=True, help="Log warnings and errors only.")
@click.option("--burst", is_flag=True, help="End when the queues are empty.")
def worker(queues: str, name: str | None, quiet: bool, burst: bool) -> None:
	"""Serve queues like `bench worker`, also those that the bench's configuration does not name."""
	from dogan_agents.host.worker import queue_names, run_worker

	try:
		names = queue_names(queues)
	except ValueError as error:
		raise click.BadParameter(str(error), param_hint="--queues") from error
	run_worker(names, name, burst=burst, quiet=quiet)


@dogan.command()
@click.option("--name", default=None, help="The node's name (DOGAN_NODE, or the machine's name).")
@click.option("--pools", default=None, help="The pools it serves, with commas; '' for every pool.")
@click.option("--labels", default=None, help="Labels for placement: region=eu,gpu=1.")
@click.option("--min", "least", type=int, default=None, help="Workers at least; 0: as in Dogan Settings.")
@click.option("--max", "most", type=int, default=None, help="Workers at most; 0: as in Dogan Settings.")
@click.option("--grace", default=25.0, show_default=True, help="Seconds for workers to finish after SIGTERM.")
@click.option("--quiet", is_flag=True, help="Let workers log warnings and errors only.")
@pass_context
def node(
	context: Any,
	name: str | None,
	pools: str | None,
	labels: str | None,
	least: int | None,
	most: int | None,
	grace: float,
	quiet: bool,
) -> None:
	"""Keep this machine's workers, until SIGTERM. What is given here replaces what its Dogan Node says."""
	from dogan_agents.host.node import node_name
	from dogan_agents.host.node_process import Given, check, run_node

	given = Given(_lines(labels), _lines(pools), least, most)
	try:
		check(name or node_name(), given)
	except ValueError as error:
		raise click.UsageError(str(error)) from error
	run_node(get_site(context), name or node_name(), given, grace, quiet)


def _lines(text: str | None) -> str | None:
	"""One a line, of a list with commas."""
	return None if text is None else "\n".join(part.strip() for part in text.split(",") if part.strip())


@contextmanager
def _site(context: Any) -> Iterator[None]:
	frappe.init(site=get_site(context))
	frappe.connect()
	try:
		yield
	finally:
		frappe.destroy()


@contextmanager
def _readable_errors() -> Iterator[None]:
	from dogan_agents.engine.errors import DoganError

	try:
		yield
	except DoganError as error:
		raise click.ClickException(str(error)) from error


def _json(text: str) -> dict[str, Any]:
	try:
		data = json.loads(text)
	except ValueError as error:
		raise click.BadParameter(f"not valid JSON: {error}", param_hint="--input") from error
	if not isinstance(data, dict):
		raise click.BadParameter('not a JSON object: write {"name": value, …}', param_hint="--input")
	return data


def _user(name: str | None) -> str | None:
	if name and not frappe.db.get_value("User", name, "enabled"):
		raise click.BadParameter(f"there is no enabled user {name}", param_hint="--user")
	return name


def _status(run: str) -> str:
	return str(frappe.db.get_value("Dogan Run", run, "status"))


def _follow(run: str) -> str:
	"""Show how far the run is, on one line, until it has ended or only a person can help it; its status then."""
	began = time.monotonic()
	fields = ["status", "tasks_total", "tasks_open", "error"]
	while True:
		frappe.db.rollback()  # to see what others have committed
		found = frappe.db.get_value("Dogan Run", run, fields, as_dict=True)
		if not found:
			raise click.ClickException(f"Run {run} was deleted.")
		over = found.status in ENDED or _is_parked(run)
		_progress(found, time.monotonic() - began, over)
		if over:
			if found.error:
				click.secho(found.error, fg="red", err=True)
			return str(found.status)
		time.sleep(POLL_SECONDS)


def _is_parked(run: str) -> bool:
	return bool(
		frappe.db.exists("Dogan Task", {"run": run, "status": "Parked"})
		and frappe.db.get_value("Dogan Run", run, "status") == "Waiting"
	)


def _progress(found: Any, seconds: float, over: bool) -> None:
	steps = (
		f"{found.tasks_total - found.tasks_open}/{found.tasks_total} steps" if found.tasks_total else "queued"
	)
	line = f"{found.status:<10} {steps:<12} {seconds:6.1f} s"
	if sys.stdout.isatty():
		click.echo(f"\r{line}", nl=over)
	elif over:
		click.echo(line)


def _cells(row: Any) -> tuple[str, ...]:
	ended = row.ended_at or (None if row.status in ENDED else frappe.utils.now_datetime())
	seconds = (ended - row.started_at).total_seconds() if row.started_at and ended else None
	return (
		row.name,
		row.workflow,
		row.status,
		f"{row.tasks_total - row.tasks_open}/{row.tasks_total}",
		f"{row.started_at or row.creation:%Y-%m-%d %H:%M:%S}",
		"" if seconds is None else f"{seconds:.1f}",
		(row.error or "").partition("\n")[0][:60],
	)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
	lines = [head, *rows]
	widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
	for line in lines:
		click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


commands = [dogan]
