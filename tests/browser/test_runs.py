import re

import pytest
from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.workflows import change, order_to_delivery, pause, todo

ORDER = {"customer": "Grant Plastics Ltd.", "order": "SO-0042", "amount": 1200}


@pytest.fixture(scope="module")
def delivery(api: Api) -> str:
	return api.make_workflow("Order to delivery", *order_to_delivery())


def test_a_run_is_followed_until_it_ends(desk: Desk, api: Api, delivery: str) -> None:
	run = api.start(delivery, **ORDER)
	desk.open_form("Dogan Run", run)
	expect(desk.nodes()).to_have_count(9)
	desk.evaluate("() => { window.dogan_first_node = document.querySelector('.dogan-node') }")
	desk.expect_state("wait_for_parts", "Waiting", "Completed")
	desk.expect_state("invoice", "Completed")
	desk.shoot("run-live")
	desk.expect_state("thank", "Completed")
	desk.expect_state("ask_manager", "Skipped")
	expect(desk.indicator()).to_have_text("Completed")
	assert desk.evaluate("() => window.dogan_first_node.isConnected"), "the graph was drawn anew"
	expect(desk.page.locator(".dogan-tasks tbody tr")).to_have_count(9)
	expect(desk.button("Retry")).to_have_count(0)
	desk.shoot("run-completed")


def test_a_click_on_a_node_opens_its_task(desk: Desk, finished: str) -> None:
	desk.open_form("Dogan Run", finished)
	desk.node("greet").click()
	expect(desk.page).to_have_url(re.compile("/app/dogan-task/"))
	expect(desk.indicator()).to_have_text("Completed")
	desk.shoot("task")


def test_a_failure_is_explained_and_mended(desk: Desk, api: Api) -> None:
	workflow = api.make_workflow(
		"Describe a designation",
		todo("announce", "A designation is described"),
		change("describe", "Designation", "Keeper of the Graph", "announce"),
		todo("tell", "It is done", "describe"),
	)
	run = api.start(workflow)
	api.wait_for_run(run, "Failed")
	desk.open_form("Dogan Run", run)
	expect(desk.headline()).to_contain_text("Step describe failed: Not found.")
	expect(desk.headline()).to_contain_text("Keeper of the Graph")
	expect(desk.headline()).to_contain_text("does not exist. Make it")
	desk.page.locator(".dogan-task-error summary").click()
	desk.shoot("run-failed")
	desk.page.locator(".dogan-tasks a", has_text="describe").click()
	expect(desk.headline()).to_contain_text("Step describe failed")
	desk.shoot("task-failed")

	api.insert("Designation", designation_name="Keeper of the Graph")
	desk.open_form("Dogan Run", run)
	desk.button("Retry").click()
	desk.expect_state("tell", "Completed")
	expect(desk.headline()).to_have_count(0)
	assert api.get("Designation", "Keeper of the Graph")["description"] == "Looked at"


def test_a_run_is_cancelled_and_taken_up_again(desk: Desk, api: Api) -> None:
	workflow = api.make_workflow("Wait for spring", pause("winter", seconds=3600), pause("spring", "winter"))
	desk.open_form("Dogan Run", api.start(workflow))
	desk.expect_state("winter", "Waiting")
	desk.button("Cancel").click()
	expect(desk.dialog()).to_contain_text("Cancel this run?")
	desk.dialog().get_by_role("button", name="Yes").click()
	desk.expect_state("winter", "Cancelled")
	desk.expect_state("spring", "Cancelled")
	expect(desk.indicator()).to_have_text("Cancelled")
	desk.shoot("run-cancelled")
	desk.button("Retry").click()
	desk.expect_state("winter", "Waiting")
