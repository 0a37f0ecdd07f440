"""A desk in a real browser: its own web server, worker and sweep on the bench's site."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.processes import Bench, processes
from tests.browser.workflows import change, todo

BENCH = Path(os.environ.get("DOGAN_BENCH", Path.home() / "frappe-bench"))
SITE = os.environ.get("DOGAN_SITE", "dogan.localhost")
PASSWORD = os.environ.get("DOGAN_PASSWORD", "admin")
CHROMIUM = os.environ.get("DOGAN_CHROMIUM", "/usr/bin/chromium")
VIEWPORT = {"width": 1360, "height": 900}


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
	with processes(BENCH, SITE) as running:
		yield running


@pytest.fixture(scope="session")
def api(bench: Bench) -> Iterator[Api]:
	"""The site's API as Administrator; what was made through it is deleted at the end."""
	api = Api(bench.url, "Administrator", PASSWORD)
	yield api
	api.clean_up()


@pytest.fixture(scope="session")
def operator(api: Api) -> Api:
	"""The site's API as somebody who has the role Dogan Operator alone."""
	return Api(api.url, *api.make_user("Dogan Operator"))


@pytest.fixture(scope="session")
def finished(api: Api) -> str:
	"""A run that has completed."""
	run = api.start(api.make_workflow("Greet a customer", todo("greet", "Call the customer")))
	assert api.wait_for_run(run) == "Completed"
	return run


@pytest.fixture(scope="session")
def failed(api: Api) -> str:
	"""A run that has failed."""
	run = api.start(api.make_workflow("Close a task that is gone", change("close", "ToDo", "no-such-todo")))
	assert api.wait_for_run(run) == "Failed"
	return run


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
	with sync_playwright() as playwright:
		browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
		yield browser
		browser.close()


@pytest.fixture
def desk(chromium: Browser, api: Api) -> Iterator[Desk]:
	"""The desk of Administrator; the test fails when the browser's console shows an error."""
	yield from open_desk(chromium, api)


@pytest.fixture
def operator_desk(chromium: Browser, operator: Api) -> Iterator[Desk]:
	yield from open_desk(chromium, operator)


def open_desk(chromium: Browser, api: Api) -> Iterator[Desk]:
	context = chromium.new_context(viewport=VIEWPORT, reduced_motion="reduce")
	context.add_cookies([{"name": "sid", "value": api.sid, "url": api.url}])
	context.set_default_timeout(20_000)
	desk = Desk(context.new_page(), api.url)
	yield desk
	desk.finish()
	context.close()
