"""What balancers and probes are told, by Frappe and by the application that answers before it."""

import socket
import statistics
import time

import frappe
import pytest
import requests
from werkzeug.test import Client

from dogan_agents.api import wsgi
from dogan_agents.host.frappe import retry_run, start_run
from dogan_agents.host.health import database, report

from .conftest import POOL, SITE
from .helpers import run_of, task_of, work_off
from .http import serve
from .nginx import free_port

HEALTH = "/api/method/dogan_agents.api.health."
CHECKS = {"maintenance", "database", "migrations", "queue", "redis_cache", "redis_queue"}
FAILING = {
	"step": "first",
	"action": "update_document",
	"input": {"doctype": "ToDo", "name": "no such", "values": {}},
}


@pytest.fixture(autouse=True)
def fresh():
	report.forget()
	yield
	report.forget()


@pytest.fixture
def conf():
	return dict(frappe.local.conf)


@pytest.fixture
def silent():
	"""The port of a server that takes connections and says nothing."""
	with socket.create_server(("127.0.0.1", 0)) as server:
		yield server.getsockname()[1]


@pytest.fixture
def late_task(workshop):
	"""A task that has been ready for an hour."""
	workflow = workshop.workflow(FAILING)
	start_run(workflow.name)
	work_off()
	run = run_of(workflow)
	retry_run(run.name)
	frappe.db.commit()
	task = task_of(run, "first")
	assert task.status == "Ready"
	task.db_set("ready_at", frappe.utils.add_to_date(frappe.utils.now_datetime(), hours=-1))
	frappe.db.commit()
	return task


def failing(told):
	return {name for name, check in told["checks"].items() if not check["ok"]}


class TestReady:
	def test_all_is_well(self, conf):
		told = report.ready(conf)
		assert (told["ok"], set(told["checks"])) == (True, CHECKS), told

	@pytest.mark.parametrize(
		("changes", "checks"),
		[
			({"db_host": "127.0.0.1", "db_port": "closed", "db_socket": None}, set(database.CHECKS)),
			({"db_password": "wrong"}, set(database.CHECKS)),
			({"redis_cache": "redis://127.0.0.1:closed"}, {"redis_cache"}),
			({"redis_queue": "redis://127.0.0.1:closed"}, {"redis_queue"}),
			({"maintenance_mode": 1}, {"maintenance"}),
		],
	)
	def test_what_is_away(self, conf, changes, checks):
		port = str(free_port())
		changed = {
			key: value.replace("closed", port) if isinstance(value, str) else value
			for key, value in changes.items()
		}
		told = report.ready({**conf, **changed})
		assert (told["ok"], failing(told)) == (False, checks), told
		assert not [secret for secret in (conf["db_name"], conf["db_password"], port) if secret in str(told)]

	def test_what_does_not_answer(self, conf, silent):
		there = f"redis://127.0.0.1:{silent}"
		hung = {
			"db_host": "127.0.0.1",
			"db_port": silent,
			"db_socket": None,
			"redis_cache": there,
			"redis_queue": there,
		}
		began = time.monotonic()
		told = report.ready({**conf, **hung})
		assert time.monotonic() - began < 5
		assert failing(told) == CHECKS - {"maintenance"}

	def test_a_patch_that_was_not_run(self, conf, monkeypatch):
		monkeypatch.setattr(database, "_patches", lambda app: frozenset([f"{app}.patches.none"]))
		told = report.ready(conf)
		assert failing(told) == {"migrations"}
		assert "bench migrate" in told["checks"]["migrations"]["reason"]

	def test_an_app_that_is_not_here(self, conf, monkeypatch):
		def patches(app):
			raise ModuleNotFoundError(name="gone")

		monkeypatch.setattr(database, "_patches", patches)
		assert "not here: gone" in report.ready(conf)["checks"]["migrations"]["reason"]

	def test_work_that_waits(self, conf, late_task):
		limited = {**conf, "dogan_ready_queue_age": 1800}
		told = report.ready(limited)
		assert failing(told) == {"queue"}
		assert f"{POOL} for 36" in told["checks"]["queue"]["reason"]
		assert report.ready(limited, queue=False)["ok"]
		report.forget()
		assert report.ready({**conf, "dogan_ready_queue_age": 7200})["ok"]
		report.forget()
		assert report.ready({**conf, "dogan_ready_queue_age": 0})["ok"]

	def test_work_waits_while_the_orchestrator_is_off(self, conf, late_task, workshop):
		settings = frappe.get_doc("Dogan Settings")
		workshop.finally_do(lambda: settings.db_set("enabled", 1))
		settings.db_set("enabled", 0)
		frappe.db.commit()
		assert report.ready({**conf, "dogan_ready_queue_age": 1800})["ok"]

	def test_cost(self, conf):
		seconds = []
		for _ in range(50):
			began = time.perf_counter()
			report.ready(conf)
			seconds.append(time.perf_counter() - began)
		assert statistics.median(seconds) < 0.01
		assert sum(seconds) < 0.5  # with what is looked up anew each second


class TestOverFrappe:
	def test_for_anybody(self, site):
		with serve() as address:
			headers = {"X-Frappe-Site-Name": site}
			live = requests.get(f"{address}{HEALTH}live", headers=headers, timeout=30)
			ready = requests.get(f"{address}{HEALTH}ready?queue=0", headers=headers, timeout=30)
			posted = requests.post(f"{address}{HEALTH}ready", headers=headers, timeout=30)
		assert (live.status_code, live.json()) == (200, {"ok": True})
		assert (ready.status_code, set(ready.json()["checks"])) == (200, CHECKS - {"queue"})
		assert posted.status_code == 403

	def test_not_ready(self, site, late_task, monkeypatch):
		monkeypatch.setattr(database, "QUEUE_AGE", 1800)
		with serve() as address:
			answer = requests.get(f"{address}{HEALTH}ready", headers={"X-Frappe-Site-Name": site}, timeout=30)
		assert (answer.status_code, answer.json()["ok"]) == (503, False)


class TestBeforeFrappe:
	def ask(self, path, **headers):
		return Client(wsgi.application).get(HEALTH + path, headers=headers)

	def test_in_order(self, site):
		assert (self.ask("live").status_code, self.ask("live").json) == (200, {"ok": True})
		told = self.ask("ready", X_Frappe_Site_Name=site)
		assert (told.status_code, set(told.json["checks"])) == (200, CHECKS)
		told = self.ask("ready?queue=0", Host=f"{site}:8000")
		assert (told.status_code, set(told.json["checks"])) == (200, CHECKS - {"queue"})

	def test_maintenance(self, site, monkeypatch, conf):
		monkeypatch.setattr(frappe, "get_site_config", lambda *_: {**conf, "maintenance_mode": 1})
		told = self.ask("ready", X_Frappe_Site_Name=site)
		assert (told.status_code, told.json["checks"]["maintenance"]["ok"]) == (503, False)
		assert self.ask("live").status_code == 200

	@pytest.mark.parametrize("name", ["none.example", f"../sites/{SITE}", "assets", ""])
	def test_no_such_site(self, name):
		assert self.ask("ready", X_Frappe_Site_Name=name).status_code == 404
