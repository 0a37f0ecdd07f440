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
	desk.open("dogan-run")
	for state, colour in (("Completed", "green"), ("Failed", "red")):
		expect(desk.page.locator(f".list-row .indicator-pill.{colour}", has_text=state).first).to_be_visible()
	desk.shoot("runs")
	desk.open("dogan-task")
	expect(desk.page.locator(".list-row .indicator-pill.red", has_text="Failed").first).to_be_visible()
	desk.shoot("tasks")
