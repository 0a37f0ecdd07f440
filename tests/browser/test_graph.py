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

# 30 graphs of 40 steps: every edge goes forward, and the nodes of a column keep a row's distance.
FAULTS = """() => {
	let seed = 7;
	const random = (below) => (seed = (seed * 16807) % 2147483647) % below;
	const faults = [];
	for (let graph = 0; graph < 30; graph++) {
		const names = Array.from({ length: 40 }, (_, i) => `s${i}`);
		const edges = Array.from({ length: 60 }, () => [random(40), random(40)])
			.filter(([from, to]) => from < to).map(([from, to]) => [names[from], names[to]]);
		const { nodes } = dogan_agents.layout.place(names, edges);
		for (const [from, to] of edges)
			if (nodes[from].column >= nodes[to].column) faults.push([graph, from, to, 'goes back']);
		for (const one of names) for (const other of names)
			if (one < other && nodes[one].column === nodes[other].column &&
				Math.abs(nodes[one].row - nodes[other].row) < 0.999) faults.push([graph, one, other, 'overlap']);
	}
	return faults;
}"""


def test_any_graph_is_laid_out(desk: Desk, finished: str) -> None:
	desk.open_form("Dogan Run", finished)
	expect(desk.nodes()).to_have_count(1)
	assert desk.evaluate(FAULTS) == []


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
