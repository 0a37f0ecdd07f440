import pytest
from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.workflows import pause


@pytest.fixture(scope="module")
def workflow(api: Api) -> str:
	return api.make_workflow("Open the shop", pause("unlock", seconds=3600), pause("serve", "unlock"))


def test_an_operator_starts_cancels_and_retries(operator_desk: Desk, workflow: str) -> None:
	desk = operator_desk
	desk.open_form("Dogan Workflow", workflow)
	expect(desk.nodes()).to_have_count(2)
	desk.button("Start").click()
	desk.dialog().get_by_role("button", name="Start", exact=True).click()
	desk.expect_state("unlock", "Waiting")
	desk.button("Cancel").click()
	desk.dialog().get_by_role("button", name="Yes").click()
	desk.expect_state("unlock", "Cancelled")
	desk.button("Retry").click()
	desk.expect_state("unlock", "Waiting")


def test_an_operator_only_reads_a_workflow(operator_desk: Desk, workflow: str) -> None:
	desk = operator_desk
	desk.open_form("Dogan Workflow", workflow)
	expect(desk.nodes()).to_have_count(2)
	expect(desk.button("Save")).to_be_hidden()
	expect(desk.field("description").locator("textarea")).to_have_count(0)
	desk.shoot("workflow-operator")
