"""The site's REST API: what a test prepares, looks up and cleans up."""

import json
import re
import time
import uuid
from typing import Any

import requests

ENDED = ("Completed", "Failed", "Cancelled", "Compensated")


class Api:
	def __init__(self, url: str, user: str, password: str):
		self.url, self.user = url, user
		self.session = requests.Session()
		self.session.post(f"{url}/api/method/login", {"usr": user, "pwd": password}).raise_for_status()
		self.sid = self.session.cookies["sid"]
		desk = self.session.get(f"{url}/app", timeout=60).text
		self.session.headers["X-Frappe-CSRF-Token"] = re.findall(r'csrf_token = "(\w+)"', desk)[0]
		self._made: list[tuple[str, str]] = []

	def call(self, method: str, **args: Any) -> Any:
		return self._answer("POST", f"method/{method}", args)["message"]

	def get(self, doctype: str, name: str) -> dict[str, Any]:
		return self._answer("GET", f"resource/{doctype}/{name}")["data"]

	def find(self, doctype: str, **filters: Any) -> list[str]:
		query = {"filters": json.dumps(filters), "limit_page_length": "0"}
		rows = self._answer("GET", f"resource/{doctype}?{requests.compat.urlencode(query)}")["data"]
		return [row["name"] for row in rows]

	def insert(self, doctype: str, **fields: Any) -> str:
		name = self._answer("POST", f"resource/{doctype}", fields)["data"]["name"]
		self.will_delete(doctype, name)
		return name

	def will_delete(self, doctype: str, name: str) -> None:
		self._made.append((doctype, name))

	def make_user(self, *roles: str) -> tuple[str, str]:
		"""A user and the password."""
		password = uuid.uuid4().hex + "-Aa1"
		user = self.insert(
			"User",
			email=f"{uuid.uuid4().hex[:12]}@example.com",
			first_name="Olivia",
			last_name="Operator",
			send_welcome_email=0,
			new_password=password,
			roles=[{"role": role} for role in roles],
		)
		return user, password

	def make_workflow(self, name: str, *steps: dict[str, Any], **fields: Any) -> str:
		"""A workflow of these steps; a step's input may be given as a value."""
		if ("Dogan Workflow", name) not in self._made:
			self._remove(name)  # what a session that was broken off has left
		rows = [{**step, "input": json.dumps(step.get("input", {}))} for step in steps]
		return self.insert("Dogan Workflow", workflow_name=name, steps=rows, **fields)

	def start(self, workflow: str, **input: Any) -> str:
		return self.call("dogan_agents.api.runs.start", workflow=workflow, input=input)["run"]

	def wait_for_run(self, run: str, *states: str, seconds: float = 45) -> str:
		"""The run's state, once it is one of these (or has ended)."""
		until = time.monotonic() + seconds
		while (status := self.get("Dogan Run", run)["status"]) not in (states or ENDED):
			assert time.monotonic() < until, f"run {run} is still {status}"
			time.sleep(0.2)
		return status

	def clean_up(self) -> None:
		for doctype, name in reversed(self._made):
			if doctype == "Dogan Workflow":
				self._remove(name)
			else:
				self._delete(doctype, name)

	def _remove(self, workflow: str) -> None:
		self._end_runs(workflow)
		self._delete_effects(workflow)
		self._delete("Dogan Workflow", workflow)

	def _end_runs(self, workflow: str) -> None:
		for run in self.find("Dogan Run", workflow=workflow, status=["not in", ENDED]):
			self.call("dogan_agents.api.runs.cancel", run=run)

	def _delete_effects(self, workflow: str) -> None:
		for task in self.find("Dogan Task", workflow=workflow, action="create_document", status="Completed"):
			made = json.loads(self.get("Dogan Task", task)["output"])
			self._delete(made["doctype"], made["name"])

	def _delete(self, doctype: str, name: str) -> None:
		self._answer("DELETE", f"resource/{doctype}/{name}", accept=(202, 404))

	def _answer(self, verb: str, path: str, body: Any = None, accept: tuple[int, ...] = (200, 202)) -> Any:
		answer = self.session.request(verb, f"{self.url}/api/{path}", json=body, timeout=60)
		assert answer.status_code in accept, f"{verb} {path}: {answer.status_code} {answer.text[:2000]}"
		return answer.json()
