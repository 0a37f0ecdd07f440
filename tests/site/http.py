"""The site over HTTP, in this process: its web application on a free port, and clients of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import frappe
import requests
from werkzeug.serving import make_server


class Client:
	"""One user's requests, by API key or by a session; the answers as Frappe gives them."""

	def __init__(self, base: str, site: str, authorization: str | None = None):
		self.base = base
		self.session = requests.Session()
		self.session.headers.update({"X-Frappe-Site-Name": site, "Accept": "application/json"})
		if authorization:
			self.session.headers["Authorization"] = authorization

	def login(self, user: str, password: str) -> None:
		self.post("login", usr=user, pwd=password).raise_for_status()

	def get(self, method: str, **query: Any) -> requests.Response:
		return self.session.get(f"{self.base}/api/method/{method}", params=query, timeout=30)

	def post(self, method: str, **data: Any) -> requests.Response:
		return self.session.post(f"{self.base}/api/method/{method}", json=data, timeout=30)


@contextmanager
def serve() -> Iterator[str]:
	"""Yields the address."""
	from frappe.app import application

	server = make_server("127.0.0.1", 0, application, threaded=True)
	thread = threading.Thread(target=server.serve_forever, daemon=True)
	thread.start()
	try:
		yield f"http://127.0.0.1:{server.server_port}"
	finally:
		server.shutdown()
		server.server_close()
		thread.join(10)


def api_key(user: str) -> str:
	"""A value for the header Authorization."""
	doc = frappe.get_doc("User", user)
	doc.api_key, secret = frappe.generate_hash(length=15), frappe.generate_hash(length=15)
	doc.api_secret = secret
	doc.save(ignore_permissions=True)
	frappe.db.commit()
	return f"token {doc.api_key}:{secret}"


def said(answer: requests.Response) -> str:
	"""The messages of an error, as the desk would show them."""
	return str(answer.json().get("_server_messages") or answer.json().get("exception") or answer.text)
