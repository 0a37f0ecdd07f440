import pytest
from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.workflows import order_to_delivery, todo


@pytest.fixture
def form(desk: Desk, api: Api) -> Desk:
	"""The form of a new workflow that has its name."""
	desk.open("dogan-workflow", "new")
	desk.field("workflow_name").locator("input").fill("Welcome a supplier")
	api.will_delete("Dogan Workflow", "Welcome a supplier")
	return desk


def test_a_workflow_is_defined_saved_and_started(form: Desk, api: Api) -> None:
	desk = form
	add_step(desk, 1, "call", "Create document")
	expect(desk.row_field("input").locator(".dogan-fields")).to_contain_text("Fields and their values")
	desk.shoot("step-form")
	fill_input(desk, '{"doctype": "ToDo", "values": {"description": "Call {{ input.supplier }}"}}')
	close_row(desk)
	add_step(desk, 2, "rest", "Wait", after="call")
	close_row(desk)
	expect(desk.nodes()).to_have_count(2)
	expect(desk.page.locator(".dogan-edge")).to_have_count(1)
	desk.save()
	expect(desk.indicator()).to_have_text("Enabled")
	desk.shoot("workflow-saved")

	desk.button("Start").click()
	expect(desk.dialog()).to_contain_text('"supplier"')
	desk.shoot("start-dialog")
	desk.dialog().get_by_role("button", name="Start", exact=True).click()
	desk.expect_state("rest", "Completed")
	expect(desk.indicator()).to_have_text("Completed")


def test_a_cycle_is_refused_with_the_reason(desk: Desk, api: Api) -> None:
	name = api.make_workflow("Hen and egg", todo("hen", "Lay"), todo("egg", "Hatch", "hen"))
	desk.refused = True
	desk.open_form("Dogan Workflow", name)
	open_row(desk, 1)
	desk.row_field("depends_on").locator("textarea").fill("egg")
	close_row(desk)
	expect(desk.page.locator(".dogan-edge-backward")).to_have_count(1)
	desk.save()
	expect(desk.dialog()).to_contain_text("the steps form a cycle")
	desk.shoot("cycle-refused")


def test_a_node_opens_its_step(desk: Desk, api: Api) -> None:
	desk.open_form("Dogan Workflow", api.make_workflow("Order to delivery, drawn", *order_to_delivery()))
	expect(desk.nodes()).to_have_count(9)
	desk.shoot("workflow")
	desk.node("ship").focus()
	desk.page.keyboard.press("Enter")
	expect(desk.row_field("step").locator("input")).to_have_value("ship")


def add_step(desk: Desk, number: int, step: str, action: str, after: str = "") -> None:
	if desk.rows().count() < number:
		desk.field("steps").get_by_role("button", name="Add Row").click()
	open_row(desk, number)
	desk.row_field("step").locator("input").fill(step)
	box = desk.row_field("action").locator("input")
	box.fill(action)
	expect(desk.row_field("action").locator("li", has_text=action)).not_to_have_count(0)
	box.press("Tab")
	if after:
		desk.row_field("depends_on").locator("textarea").fill(after)


def open_row(desk: Desk, number: int) -> None:
	desk.rows().nth(number - 1).locator(".btn-open-row").click()
	expect(desk.row_form()).to_be_visible()


def close_row(desk: Desk) -> None:
	desk.row_form().locator(".grid-collapse-row").click()
	expect(desk.row_form()).to_have_count(0)


def fill_input(desk: Desk, text: str) -> None:
	desk.row_field("input").locator(".ace_content").click()
	desk.page.keyboard.press("Control+a")
	desk.page.keyboard.insert_text(text)
	desk.page.wait_for_function("text => cur_frm.doc.steps.some((row) => row.input === text)", arg=text)
