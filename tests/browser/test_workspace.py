from playwright.sync_api import expect

from tests.browser.desk import Desk

CARDS = ("Runs under Way", "Runs Today", "Failed Runs", "Waiting for a Person")
LINKS = ("Workflow", "Agent", "Pool", "Settings", "Run", "Task", "Worker", "Email Account")


def test_workspace_leads_to_everything(desk: Desk) -> None:
	desk.open("dogan-agents")
	for card in CARDS:
		expect(desk.page.locator(".number-widget-box", has_text=card)).to_be_visible()
	for link in LINKS:
		expect(desk.page.locator(".links-widget-box a").get_by_text(link, exact=True)).to_be_visible()
	desk.shoot("workspace")


def test_lists_show_states(desk: Desk, finished: str, failed: str) -> None:
	for doctype, filters, state, colour in (
		("Dogan Run", {"name": finished}, "Completed", "green"),
		("Dogan Run", {"name": failed}, "Failed", "red"),
		("Dogan Task", {"run": failed}, "Failed", "red"),
	):
		desk.open_list(doctype, **filters)
		expect(desk.page.locator(f".list-row:visible .indicator-pill.{colour}").first).to_have_text(state)
	desk.open("dogan-run")
	desk.shoot("runs")
