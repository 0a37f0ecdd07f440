from playwright.sync_api import expect

from tests.browser.api import Api
from tests.browser.desk import Desk


def test_a_new_queue_shows_what_a_plain_worker_needs(desk: Desk, api: Api) -> None:
	api.will_delete("Dogan Pool", "browser-pool")
	desk.open_form("Dogan Pool", "default")
	expect(desk.page.locator(".form-message:visible")).to_have_count(0)
	desk.open("dogan-pool", "new")
	desk.field("pool_name").locator("input").fill("browser-pool")
	desk.field("queue").locator("input").fill("browser_queue")
	desk.page.keyboard.press("Control+s")
	message = desk.page.locator(".modal:visible")
	expect(message).to_contain_text('"browser_queue": {"timeout": 1500}')
	desk.page.keyboard.press("Escape")
	intro = desk.page.locator(".form-message:visible")
	expect(intro).to_contain_text("bench dogan worker --queues browser_queue")
	expect(intro.locator("pre")).to_have_text('"browser_queue": {"timeout": 1500}')
	desk.shoot("pool")
