"""A pool made on the desk works at once: no file edited, nothing restarted."""

import subprocess
import sys
import time

import frappe
import pytest
from frappe.utils.background_jobs import get_queues_timeout, get_redis_conn
from rq import Worker

from dogan_agents.doctor import hands
from dogan_agents.host.frappe import start_run
from dogan_agents.host.worker import queue_names

from .helpers import bench, run_of

SKIPPED = {"step": "first", "action": "wait", "condition": "false", "input": {"seconds": 0}}


def ended(workflow, seconds=30):
	end = time.monotonic() + seconds
	while run_of(workflow).status != "Completed":
		assert time.monotonic() < end, run_of(workflow).status
		time.sleep(0.1)
	return run_of(workflow)


@pytest.fixture
def pool(workshop):
	"""With a queue of its own that nothing has ever heard of."""
	name = f"new-{frappe.generate_hash(length=8)}"
	assert name not in get_queues_timeout()
	yield workshop.make("Dogan Pool", pool_name=name, queue=name, idle_seconds=0)
	get_redis_conn().delete(*(get_redis_conn().keys(f"*{name}*") or ["-"]))


@pytest.fixture
def worker(pool):
	command = [sys.executable, "-m", "frappe.utils.bench_helper", "frappe", "dogan", "worker"]
	process = subprocess.Popen(
		[*command, "--queues", f"{pool.queue},{pool.queue}-more", "--name", f"test-{pool.name}"],
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
		text=True,
	)
	yield process
	process.terminate()
	out, _ = process.communicate(timeout=30)
	assert process.returncode == 0, out
	assert f"test-{pool.name}" not in [found.name for found in Worker.all(get_redis_conn())]


def test_its_work_is_done(workshop, pool, worker):
	workflow = workshop.workflow(SKIPPED, pool=pool.name)
	start_run(workflow.name)
	frappe.db.commit()
	run = ended(workflow)
	task = frappe.get_doc("Dogan Task", f"{run.name}-first")
	assert task.pool == pool.name
	deaf = [finding.text for finding in hands.workers() if pool.queue in finding.text]
	assert not deaf
	for name in frappe.get_all("Dogan Worker", {"pool": pool.name}, pluck="name"):
		workshop.finally_do(lambda name=name: frappe.delete_doc("Dogan Worker", name, force=True))


def test_a_plain_worker_refuses_its_queue(pool):
	done = bench("worker", "--queue", pool.queue, "--burst")
	assert done.returncode != 0
	assert "Queue should be one of" in done.stderr


@pytest.mark.parametrize("queues", ["", "a b", "long,,x:y"])
def test_mistakes(queues):
	done = bench("dogan", "worker", "--queues", queues)
	assert done.returncode != 0
	assert "no name of a queue" in done.stderr


def test_names():
	assert queue_names("dogan_llm, default,") == ["dogan_llm", "default"]
