"""The graph by itself: other directions and themes."""

from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.workflows import order_to_delivery

DRAW_ANEW = "() => { cur_frm.graph = undefined; cur_frm.trigger('draw') }"
BOXES_OVERLAP = """() => {
	const boxes = [...document.querySelectorAll('.dogan-node-box')].map((box) => box.getBoundingClientRect());
	return boxes.some((one, i) => boxes.some((other, j) => i < j && one.left < other.right &&
		other.left < one.right && one.top < other.bottom && other.top < one.bottom));
}"""


def test_the_graph_follows_theme_and_direction(desk: Desk, api: Api) -> None:
	desk.open_form("Dogan Workflow", api.make_workflow("Order to delivery, seen", *order_to_delivery()))
	expect(desk.nodes()).to_have_count(9)
	assert not desk.evaluate(BOXES_OVERLAP)
	assert x(desk, "check_credit") < x(desk, "assemble") < x(desk, "thank")

	desk.evaluate("() => document.documentElement.setAttribute('data-theme', 'dark')")
	desk.shoot("workflow-dark")

	desk.evaluate("() => { document.documentElement.dir = 'rtl'; frappe.utils.is_rtl = () => true }")
	desk.evaluate(DRAW_ANEW)
	expect(desk.nodes()).to_have_count(9)
	assert x(desk, "check_credit") > x(desk, "assemble") > x(desk, "thank")
	assert not desk.evaluate(BOXES_OVERLAP)
	desk.shoot("workflow-rtl")


def x(desk: Desk, step: str) -> float:
	return desk.node(step).bounding_box()["x"]
