import json
import os
import subprocess
import sys

import frappe
import pytest

from dogan_agents.doctor import database, hands, site, work
from dogan_agents.doctor.examine import examine
from dogan_agents.doctor.finding import Level
from dogan_agents.host.schema import apply_indexes

from .conftest import POOL
from .helpers import bench, python, run_of, task_of, work_off

SKIPPED = {"step": "first", "action": "wait", "condition": "false", "input": {"seconds": 0}}
FAILING = {
	"step": "first",
	"action": "update_document",
	"input": {"doctype": "ToDo", "name": "no such", "values": {}},
}
DRAIN = """
import time
from dogan_agents.engine.drain import drain
from dogan_agents.host.site import DrainHost
host, end = DrainHost(), time.monotonic() + 60
while time.monotonic() < end:
	drain(host, sys.argv[1])
	time.sleep(0.05)
"""


@pytest.fixture
def worker():
	"""A process that works the tests' pool off all the while."""
	process = python(DRAIN, POOL)
	yield process
	process.kill()
	process.communicate()


class TestRun:
	def test_start(self, workshop):
		workflow = workshop.workflow(SKIPPED)
		for _ in range(2):
			done = bench("dogan", "run", workflow.name, "--input", '{"a": 1}', "--key", "k")
			assert done.returncode == 0, done.stderr
		run = run_of(workflow)
		assert done.stdout.strip() == run.name
		assert (frappe.parse_json(run.input), run.trigger) == ({"a": 1}, "manual")

	def test_wait(self, workshop, worker):
		done = bench("dogan", "run", workshop.workflow(SKIPPED).name, "--wait")
		assert done.returncode == 0, done.stderr
		assert "Completed" in done.stdout
		assert "1/1 steps" in done.stdout
		failed = bench("dogan", "run", workshop.workflow(FAILING).name, "--wait")
		assert failed.returncode == 1
		assert "no such not found" in failed.stderr

	def test_progress_on_a_terminal(self, workshop, worker):
		command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", frappe.local.site]
		main, terminal = os.openpty()
		done = subprocess.run(
			[*command, "dogan", "run", workshop.workflow(SKIPPED).name, "--wait"], stdout=terminal, timeout=60
		)
		os.close(terminal)
		shown = os.read(main, 100_000).decode()
		os.close(main)
		assert done.returncode == 0
		assert "\rCompleted" in shown

	@pytest.mark.parametrize(
		("arguments", "words"),
		[
			(["No Such Workflow"], "There is no workflow No Such Workflow"),
			(["x", "--input", "{"], "not valid JSON"),
			(["x", "--input", "[]"], "not a JSON object"),
			(["x", "--user", "nobody@nowhere.example"], "no enabled user"),
		],
	)
	def test_mistakes(self, arguments, words):
		done = bench("dogan", "run", *arguments)
		assert done.returncode != 0
		assert words in done.stderr
		assert "Traceback" not in done.stderr


def test_runs_retry_and_cancel(workshop):
	workflow = workshop.workflow(FAILING)
	run = bench("dogan", "run", workflow.name).stdout.strip()
	work_off()
	listed = bench("dogan", "runs", "--status", "failed", "--workflow", workflow.name).stdout
	assert listed.splitlines()[0].split() == [
		"Run",
		"Workflow",
		"Status",
		"Steps",
		"Started",
		"Seconds",
		"Error",
	]
	assert run in listed.splitlines()[1]
	assert "no such not found" in listed
	assert bench("dogan", "retry", run).stdout.strip() == f"{run}: Running"
	assert bench("dogan", "cancel", run).stdout.strip() == f"{run}: Cancelled"
	again = bench("dogan", "cancel", run)
	assert (again.returncode, "Cancelled cannot become Cancelled" in again.stderr) == (1, True)
	assert "There is no run" in bench("dogan", "retry", "none").stderr


def level(check):
	return {finding.check: finding for finding in check()}


class TestDoctor:
	def test_command(self):
		done = bench("dogan", "doctor", "--json")
		findings = json.loads(done.stdout)
		assert done.returncode == any(item["level"] == "fail" for item in findings)
		assert {"schema", "clock", "redis", "queues", "workers", "leader", "ready tasks"} <= {
			item["check"] for item in findings
		}
		assert all(item["remedy"] for item in findings if item["level"] != "ok")
		assert "ok    schema" in bench("dogan", "doctor").stdout

	def test_nothing_is_left_unsaid(self):
		assert not [finding for finding in examine() if "Could not be checked" in finding.text]

	def test_a_missing_index(self, workshop):
		workshop.finally_do(lambda: apply_indexes("Dogan Task"))
		frappe.db.sql_ddl("ALTER TABLE `tabDogan Task` DROP INDEX `blocked_on_creation_index`")
		found = level(database.schema)["schema"]
		assert found.level is Level.FAIL
		assert "index of Dogan Task on blocked_on, creation" in found.text
		assert "migrate" in found.remedy

	def test_an_unknown_queue(self):
		# The tests' own pool has one that the bench does not know.
		found = level(hands.queues)["queues"]
		assert found.level is Level.WARN
		assert f'"{POOL}": {{"timeout": 1500}}' in found.remedy
		assert level(hands.workers)["workers"].level is Level.FAIL

	def test_a_shared_mail_queue(self, workshop):
		pool = frappe.get_doc("Dogan Pool", "mail")
		before = pool.queue
		workshop.finally_do(lambda: pool.db_set("queue", before))
		pool.db_set("queue", "long")
		assert level(hands.mail_queue)["mail queue"].level is Level.WARN

	def test_an_old_ready_task(self, workshop):
		workflow = workshop.workflow(FAILING)
		bench("dogan", "run", workflow.name)
		work_off()
		run = run_of(workflow)
		bench("dogan", "retry", run.name)
		frappe.db.rollback()
		long_ago = frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=-1)
		task_of(run, "first").db_set("ready_at", long_ago)
		assert level(work.oldest_ready)["ready tasks"].level is Level.FAIL
		assert level(work.failed_runs)

	def test_a_workflow_without_a_user(self, workshop):
		workflow = workshop.workflow(SKIPPED, triggers=[{"trigger_type": "Mail"}])
		found = level(site.identities)["identities"]
		assert found.level is Level.FAIL
		assert workflow.name in found.text

	def test_the_mail_account_class(self):
		assert level(site.mail_account)["mail accounts"].level is Level.OK
