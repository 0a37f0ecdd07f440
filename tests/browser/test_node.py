"""A node on the desk: how it is, and what an operator may do with it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk
from tests.browser.processes import Bench, running

NAME = "browser-node"


@pytest.fixture
def node(bench: Bench, api: Api) -> Iterator[str]:
	command = ("-m", "frappe.utils.bench_helper", "frappe", "--site", bench.site, "dogan", "node")
	log = bench.folder / "logs" / "dogan-browser-node.log"
	with running((*command, "--name", NAME, "--pools", "llm"), bench.folder / "sites", log):
		yield NAME
	for comment in api.find("Comment", reference_name=NAME):
		api.will_delete("Comment", comment)
	if api.find("Dogan Node", name=NAME):
		api.call("dogan_agents.api.nodes.forget", node=NAME)


def test_an_operator_directs_a_node(operator_desk: Desk, api: Api, node: str) -> None:
	desk = operator_desk
	expect_there(desk, api)
	desk.open_form("Dogan Node", node)
	expect(desk.indicator()).to_have_text("Healthy")
	expect(desk.field("view")).to_contain_text("Nothing runs here.")
	expect(desk.button("Forget")).to_have_count(0)
	desk.button("Cordon").click()
	expect(desk.indicator()).to_have_text("Cordoned")
	expect(desk.headline()).to_contain_text("it can be switched off")
	desk.shoot("node")
	desk.button("Uncordon").click()
	expect(desk.indicator()).to_have_text("Healthy")
	desk.button("Drain").click()
	expect(desk.indicator()).to_have_text("Cordoned")  # it was empty
	desk.open_list("Dogan Node")
	desk.shoot("nodes")


def expect_there(desk: Desk, api: Api) -> None:
	for _ in range(200):
		if api.find("Dogan Node", name=NAME, status="Healthy"):
			return
		desk.page.wait_for_timeout(100)
	raise AssertionError("the node did not register")
