"""A bench's web server, one RQ worker, and the sweep that a node process would do."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

START_SECONDS = 60
SWEEP = """
import sys, time
import frappe
from dogan_agents.host.frappe import sweep_tick
frappe.init(site=sys.argv[1])
while True:
	frappe.connect()
	sweep_tick()
	frappe.destroy()
	frappe.init(site=sys.argv[1])
	time.sleep(0.5)
"""
FORGET = """
import sys
import frappe
from frappe.utils.background_jobs import generate_qname, get_redis_conn
from rq import Queue
frappe.init(site=sys.argv[1])
queue = Queue(generate_qname("default"), connection=get_redis_conn())
for job in queue.jobs:
	if str(job.kwargs.get("job_name")).startswith("frappe."):
		job.delete()
"""


@dataclass(frozen=True)
class Bench:
	folder: Path
	site: str
	url: str


def forget_leftovers(folder: Path, site: str) -> None:
	"""Each document and user that a suite deletes or makes leaves a job of Frappe's: thousands, and no worker.

	Ours would be busy with them for minutes before it came to a drain.
	"""
	subprocess.run((sys.executable, "-c", FORGET, site), cwd=folder / "sites", check=True)


@contextmanager
def processes(folder: Path, site: str) -> Iterator[Bench]:
	forget_leftovers(folder, site)
	port = free_port()
	frappe = ("-m", "frappe.utils.bench_helper", "frappe")
	logs = folder / "logs"
	with ExitStack() as stack:
		for name, command in (
			("web", (*frappe, "--site", site, "serve", "--port", str(port), "--noreload")),
			("worker", (*frappe, "worker", "--queue", "short,default,long")),
			("sweep", ("-c", SWEEP, site)),
		):
			stack.enter_context(running(command, folder / "sites", logs / f"dogan-browser-{name}.log"))
		bench = Bench(folder, site, f"http://127.0.0.1:{port}")
		wait_for(f"{bench.url}/api/method/ping")
		yield bench


@contextmanager
def running(command: tuple[str, ...], folder: Path, log: Path) -> Iterator[None]:
	"""The command in the bench's environment, without CI: on a bench it means that mail is suppressed."""
	environment = {name: value for name, value in os.environ.items() if name != "CI"}
	with log.open("wb") as output:
		process = subprocess.Popen(
			(sys.executable, *command), cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
		)
		try:
			yield
		finally:
			process.terminate()
			try:
				process.wait(10)
			except subprocess.TimeoutExpired:
				process.kill()
				process.wait()


def free_port() -> int:
	with socket.socket() as listener:
		listener.bind(("127.0.0.1", 0))
		return int(listener.getsockname()[1])


def wait_for(url: str) -> None:
	until = time.monotonic() + START_SECONDS
	while True:
		try:
			requests.get(url, timeout=30).raise_for_status()
			return
		except requests.RequestException:
			if time.monotonic() > until:
				raise
			time.sleep(0.2)
