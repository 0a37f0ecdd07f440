"""`bench dogan node` on a site: it works, and does what the desk says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import frappe
import psutil
import pytest

from dogan_agents.api import nodes
from dogan_agents.doctor import cluster
from dogan_agents.doctor.finding import Level
from dogan_agents.host.hands import node_queue

from .conftest import POOL
from .helpers import bench, run_of

NAME = f"site-tests-{os.getpid()}"
WAIT = {"step": "first", "action": "wait", "input": {"seconds": 0}}


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
	deadline = time.monotonic() + seconds
	while not (found := condition()):
		assert time.monotonic() < deadline, "waited in vain"
		time.sleep(0.05)
		frappe.db.rollback()
	return found


def field(name: str) -> Any:
	frappe.db.rollback()
	return frappe.db.get_value("Dogan Node", NAME, name)


class NodeProcess:
	def __init__(self, log: Any, *options: str):
		command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "--site", frappe.local.site]
		self.process = subprocess.Popen(
			[*command, "dogan", "node", "--name", NAME, "--pools", POOL, *options],
			stdin=subprocess.DEVNULL,
			stdout=log,
			stderr=log,
			start_new_session=True,
		)

	def workers(self) -> list[int]:
		children = psutil.Process(self.process.pid).children()
		return [child.pid for child in children if any(POOL in name for name in queues_of(child.pid))]

	def kill(self) -> None:
		with_children = [self.process.pid]
		if self.process.poll() is None:
			with_children += [each.pid for each in psutil.Process(self.process.pid).children(recursive=True)]
		for pid in with_children:
			try:
				os.kill(pid, signal.SIGKILL)
			except ProcessLookupError:
				continue
		self.process.wait()


def queues_of(pid: int) -> list[str]:
	from frappe.utils.background_jobs import get_redis_conn
	from rq import Worker

	found = [worker for worker in Worker.all(connection=get_redis_conn()) if worker.pid == pid]
	return found[0].queue_names() if found else []


@pytest.fixture
def settings() -> Iterator[Any]:
	"""Sets fields of Dogan Settings as the desk does; they are put back."""
	fields = ("workers_per_node_min", "workers_per_node_max")
	before = {name: frappe.db.get_single_value("Dogan Settings", name) for name in fields}

	def change(**values: int) -> None:
		frappe.db.rollback()
		frappe.get_doc("Dogan Settings").update(values).save()
		frappe.db.commit()

	yield change
	change(**before)


@pytest.fixture
def node(tmp_path, settings) -> Iterator[Callable[..., NodeProcess]]:
	started: list[NodeProcess] = []
	settings(workers_per_node_min=1, workers_per_node_max=4)

	def start(*options: str) -> NodeProcess:
		with (tmp_path / "node.log").open("ab") as log:
			started.append(NodeProcess(log, *options))
		until(lambda: field("status") == "Healthy")
		until(started[-1].workers)
		return started[-1]

	yield start
	for each in started:
		each.kill()
	frappe.set_user("Administrator")
	frappe.db.rollback()
	frappe.db.set_value("Dogan Node", NAME, "status", "Stopped")
	frappe.delete_doc("Comment", frappe.get_all("Comment", {"reference_name": NAME}, pluck="name"))
	nodes.forget(NAME)
	frappe.db.commit()


class TestNodeProcess:
	def test_it_works_and_stops_in_order(self, workshop, node):
		mine = node("--labels", "region=eu,gpu=1")
		workflow = workshop.workflow(WAIT)
		done = bench("dogan", "run", workflow.name, "--wait")
		assert done.returncode == 0, done.stderr
		run = run_of(workflow)
		assert frappe.db.get_value("Dogan Task", {"run": run.name}, "node") == NAME
		assert (field("labels"), field("pools")) == ("region=eu\ngpu=1", POOL)
		(worker,) = mine.workers()
		assert any(name.endswith(node_queue(NAME)) for name in queues_of(worker))
		mine.process.terminate()
		assert mine.process.wait(25) == 0
		assert field("status") == "Stopped"
		assert not psutil.pid_exists(worker)

	def test_the_settings_are_in_force_within_ten_seconds(self, node, settings):
		mine = node()
		assert len(mine.workers()) == 1
		settings(workers_per_node_min=3)
		until(lambda: len(mine.workers()) == 3, 10)
		settings(workers_per_node_min=0, workers_per_node_max=1)
		until(lambda: len(mine.workers()) == 1, 10)
		frappe.get_doc("Dogan Node", NAME).update({"workers_min": 2, "workers_max": 2}).save()
		frappe.db.commit()
		until(lambda: len(mine.workers()) == 2, 10)

	def test_a_cordon_keeps_work_away_until_it_ends(self, workshop, node):
		mine = node()
		workflow = workshop.workflow(WAIT)
		nodes.cordon(NAME)
		frappe.db.commit()
		until(lambda: not mine.workers(), 10)
		started = bench("dogan", "run", workflow.name).stdout.strip()
		until(lambda: field("status") == "Cordoned")
		assert frappe.db.get_value("Dogan Run", started, "status") in ("Queued", "Running")
		assert nodes.overview(NAME)["cordoned"]
		nodes.uncordon(NAME)
		frappe.db.commit()
		until(lambda: frappe.db.get_value("Dogan Run", started, "status") == "Completed")

	def test_a_drain_is_over_when_nothing_runs(self, node):
		node()
		assert nodes.drain(NAME)["status"] == "Draining"
		frappe.db.commit()
		until(lambda: nodes.overview(NAME)["status"] == "Cordoned")

	def test_a_node_that_works_is_not_forgotten(self, node):
		node()
		with pytest.raises(frappe.ValidationError, match="only one that is dead or stopped"):
			nodes.forget(NAME)

	def test_saving_the_form_undoes_no_heartbeat(self, node):
		node()
		form = frappe.get_doc("Dogan Node", NAME)
		form.expires, form.status, form.incarnation = 1, "Dead", "somebody"
		form.labels = "gpu=1"
		form.save()
		frappe.db.commit()
		assert field("expires") > 1
		assert (field("status"), field("labels")) == ("Healthy", "gpu=1")

	def test_the_doctor_knows_it(self, node):
		node()
		frappe.db.rollback()
		assert any(finding.level is Level.OK for finding in cluster.nodes())
		frappe.db.sql("UPDATE `tabDogan Node` SET expires = 1 WHERE name = %s", NAME)
		assert any(NAME in finding.text and finding.level is Level.WARN for finding in cluster.nodes())
		frappe.db.rollback()


class TestDirecting:
	@pytest.fixture
	def row(self, workshop) -> str:
		doc = frappe.get_doc(doctype="Dogan Node", node_name=f"n-{frappe.generate_hash(length=8)}")
		doc.flags.by_engine = True
		doc.insert()
		frappe.db.commit()
		workshop.finally_do(lambda: frappe.db.delete("Dogan Node", {"name": doc.name}))
		return str(doc.name)

	@pytest.mark.parametrize("method", ["cordon", "drain", "uncordon", "forget"])
	def test_it_wants_a_role(self, row, workshop, method):
		frappe.set_user(workshop.user("Employee"))
		with pytest.raises(frappe.PermissionError):
			getattr(nodes, method)(row)

	def test_an_operator_may(self, row, workshop):
		user = workshop.user("Dogan Operator")
		workshop.finally_do(lambda: frappe.db.delete("Comment", {"reference_name": row}))
		frappe.set_user(user)
		assert nodes.cordon(row)["cordoned"]
		assert not nodes.uncordon(row)["cordoned"]
		nodes.forget(row)
		assert not frappe.db.exists("Dogan Node", row)


@pytest.mark.parametrize(
	("arguments", "words"),
	[
		(["--name", "a b"], "no name of a node"),
		(["--labels", "region"], "no labels"),
		(["--min", "3", "--max", "2"], "at least 3 workers, but at most 2"),
		(["--max", "1000"], "0 to 500"),
	],
)
def test_mistakes(arguments, words):
	done = bench("dogan", "node", *arguments)
	assert done.returncode != 0
	assert words in done.stderr
