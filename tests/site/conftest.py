"""Tests on a live site: they commit, and each takes away what it has made."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import frappe
import pytest

BENCH = Path(os.environ.get("DOGAN_BENCH", Path.home() / "frappe-bench"))
# No worker listens to its queue, so that the tests' own drains do all of its work.
POOL = f"site-tests-{os.getpid()}"
SITE = os.environ.get("DOGAN_SITE", "dogan.localhost")


@pytest.fixture(scope="session", autouse=True)
def site() -> Iterator[str]:
	"""The bench's sites folder is the working directory, and the site is connected, as in a job."""
	assert "CI" not in os.environ, "CI makes Frappe behave as in its own tests: no mail, no background jobs"
	before = os.getcwd()
	os.chdir(BENCH / "sites")
	frappe.init(site=SITE)
	frappe.connect()
	frappe.set_user("Administrator")
	frappe.local.lang = "en"
	if not frappe.db.exists("Dogan Pool", POOL):
		pool = frappe.get_doc(doctype="Dogan Pool", pool_name=POOL, queue=POOL, idle_seconds=0)
		pool.flags.ignore_validate = True
		pool.insert()
		frappe.db.commit()
	yield SITE
	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.delete_doc("Dogan Pool", POOL, force=True)
	frappe.db.commit()
	frappe.destroy()
	os.chdir(before)


@pytest.fixture(autouse=True)
def clean(site: str) -> Iterator[None]:
	"""Each test begins as Administrator in a transaction of its own and leaves none open."""
	frappe.db.rollback()
	frappe.set_user("Administrator")
	frappe.db.value_cache.clear()  # ERPNext gives the name of a deleted document to the next one
	frappe.local.cache.clear()
	yield
	frappe.db.rollback()
	frappe.set_user("Administrator")


class Workshop:
	"""Makes documents, committed, and deletes them in the end, the last first."""

	def __init__(self) -> None:
		self._made: list[tuple[str, str]] = []
		self._last: list[Callable[[], None]] = []

	def make(self, doctype: str, **values: Any) -> Any:
		doc = frappe.get_doc({"doctype": doctype, **values})
		doc.insert(ignore_permissions=True)
		frappe.db.commit()
		return self.keep(doc)

	def keep(self, doc: Any) -> Any:
		self._made.append((doc.doctype, doc.name))
		return doc

	def finally_do(self, call: Callable[[], None]) -> None:
		self._last.append(call)

	def workflow(self, *steps: dict[str, Any], **values: Any) -> Any:
		"""A workflow of steps given as dicts; `input` may be a dict."""
		rows = [{**step, "input": frappe.as_json(step.get("input") or {})} for step in steps]
		triggers = [
			{**row, "input": frappe.as_json(row["input"]) if "input" in row else ""}
			for row in values.pop("triggers", [])
		]
		values = {"workflow_name": f"Test {frappe.generate_hash(length=10)}", "pool": POOL, **values}
		return self.make("Dogan Workflow", steps=rows, triggers=triggers, **values)

	def user(self, *roles: str) -> str:
		doc = self.make(
			"User",
			email=f"test-{frappe.generate_hash(length=10)}@dogan.example",
			first_name="Test",
			send_welcome_email=0,
			roles=[{"role": role} for role in roles],
		)
		return str(doc.name)

	def clear(self) -> None:
		"""What cannot be taken away keeps nothing else from being."""
		frappe.db.rollback()
		frappe.set_user("Administrator")
		problems = []
		deletions = [partial(self._delete, *made) for made in self._made]
		for call in (*reversed(self._last), *reversed(deletions)):
			try:
				call()
				frappe.db.commit()
			except Exception as error:
				frappe.db.rollback()
				problems.append(error)
		assert not problems, problems

	def _delete(self, doctype: str, name: str) -> None:
		if doctype == "Dogan Workflow":
			frappe.db.delete("Dogan Task", {"workflow": name})
			frappe.db.delete("Dogan Run", {"workflow": name})
			frappe.db.delete("Error Log", {"method": ("like", f"%{name}")})
		if doctype == "User":
			for contact in frappe.get_all("Contact", {"email_id": name}, pluck="name"):
				frappe.delete_doc("Contact", contact, force=True, ignore_permissions=True)
		frappe.delete_doc(doctype, name, force=True, ignore_permissions=True, ignore_missing=True)


@pytest.fixture
def workshop(clean: None) -> Iterator[Workshop]:
	shop = Workshop()
	yield shop
	shop.clear()
