"""Frappe's desk as a person uses it."""

import re
from pathlib import Path
from urllib.parse import quote, urlencode

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
NOT_OURS = re.compile(r"socket\.io|:9000|favicon")  # no socketio server runs here: the desk polls


class Desk:
	def __init__(self, page: Page, url: str):
		self.page, self.url = page, url
		self.errors: list[str] = []
		self.refused = (
			False  # the server is expected to refuse something: an Administrator's console shows why
		)
		page.on("console", self._note)
		page.on("pageerror", lambda error: self.errors.append(str(error)))

	def open(self, *route: str) -> None:
		self.page.goto(f"{self.url}/app/" + "/".join(quote(part) for part in route))
		self.page.wait_for_selector("body[data-ajax-state=complete], .page-container:visible")
		self.settle()

	def open_form(self, doctype: str, name: str) -> None:
		self.open(doctype.lower().replace(" ", "-"), name)
		self.form().wait_for()

	def open_list(self, doctype: str, **filters: str) -> None:
		route = doctype.lower().replace(" ", "-")
		self.page.goto(f"{self.url}/app/{route}?{urlencode(filters)}")
		self.page.locator(".list-row:visible").first.wait_for()

	def form(self) -> Locator:
		return self.page.locator(".form-page:visible, .form-layout:visible").first

	def settle(self) -> None:
		"""Until the desk asks the server for nothing any more."""
		self.page.wait_for_function("() => window.frappe && frappe.request && !frappe.request.ajax_count")

	def button(self, label: str) -> Locator:
		return self.page.locator(".page-actions:visible").get_by_role("button", name=label, exact=True)

	def field(self, name: str) -> Locator:
		return self.page.locator(f".form-page:visible .frappe-control[data-fieldname='{name}']").first

	def rows(self) -> Locator:
		"""The rows of the steps."""
		return self.field("steps").locator(".rows > .grid-row")

	def row_form(self) -> Locator:
		"""The form of the row that is open."""
		return self.page.locator(".grid-row-open .form-in-grid")

	def row_field(self, name: str) -> Locator:
		return self.row_form().locator(f".frappe-control[data-fieldname='{name}']")

	def nodes(self) -> Locator:
		return self.page.locator(".dogan-graph:visible .dogan-node")

	def node(self, step: str) -> Locator:
		return self.page.locator(f".dogan-graph:visible .dogan-node[data-step='{step}']")

	def expect_state(self, step: str, *states: str, seconds: float = 45) -> None:
		expect(self.node(step)).to_have_attribute(
			"data-status", re.compile(f"^({'|'.join(states)})$"), timeout=seconds * 1000
		)

	def headline(self) -> Locator:
		return self.page.locator(".form-message:visible")

	def indicator(self) -> Locator:
		return self.page.locator(".page-head:visible .indicator-pill").first

	def dialog(self) -> Locator:
		return self.page.locator(".modal.show .modal-content").last

	def save(self) -> None:
		self.page.keyboard.press("Control+s")

	def evaluate(self, script: str) -> object:
		return self.page.evaluate(script)

	def shoot(self, name: str) -> None:
		SCREENSHOTS.mkdir(parents=True, exist_ok=True)
		self.settle()
		self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

	def finish(self) -> None:
		assert self.refused or not self.errors, self.errors

	def _note(self, message: ConsoleMessage) -> None:
		if message.type != "error" or NOT_OURS.search(f"{message.text} {message.location}"):
			return
		self.errors.append(f"{message.text} ({message.location.get('url', '')})")
