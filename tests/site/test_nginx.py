"""The nginx configuration we ship, with a real nginx: who gets which request, once or again, and who gets none."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from .conftest import BENCH, SITE
from .nginx import NGINX, Gunicorn, Upstream, free_port, nginx

pytestmark = pytest.mark.skipif(not NGINX, reason="NO NGINX: install the Debian package nginx")

PING = "/api/method/frappe.ping"


@pytest.fixture
def upstreams():
	"""Makes servers that answer with a status, or with 0 hang up."""
	with ExitStack() as stack:

		def make(*statuses):
			made = [Upstream(status) for status in statuses]
			for upstream in made:
				stack.callback(upstream.close)
			return made

		yield make


@pytest.fixture
def gunicorns(tmp_path):
	"""Starts web nodes, each with these changes of the common configuration, all at once."""
	with ExitStack() as stack:

		def start(*confs):
			made = [Gunicorn(tmp_path, **conf) for conf in confs]
			for node in made:
				stack.callback(node.kill)
			return [node.wait() for node in made]

		yield start


def send(front, method, count=8):
	"""Statuses of so many requests, each with a number of its own."""
	data = b"x" if method in ("POST", "PUT", "PATCH") else None
	return [
		front.ask("/api/resource/ToDo", method, headers={"X-Id": str(number)}, data=data).status_code
		for number in range(count)
	]


class TestRepeats:
	@pytest.mark.parametrize("method", ["GET", "HEAD"])
	def test_reads_that_a_node_dropped(self, tmp_path, upstreams, method):
		good, rude = upstreams(200, 0)
		with nginx(tmp_path, good.port, rude.port) as front:
			assert send(front, method) == [200] * 8
		assert sorted(good.ids()) == [str(number) for number in range(8)]
		assert 1 <= len(rude.seen) <= 3  # then it is left alone

	@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
	def test_no_changes(self, tmp_path, upstreams, method):
		good, rude = upstreams(200, 0)
		with nginx(tmp_path, good.port, rude.port) as front:
			statuses = send(front, method)
		assert sorted(good.ids() + rude.ids()) == [str(number) for number in range(8)]  # each once
		assert statuses.count(502) == len(rude.seen) >= 1
		assert {seen[0] for seen in good.seen} == {method}
		assert {seen[3] for seen in good.seen} == ({b""} if method == "DELETE" else {b"x"})

	def test_posts_that_were_never_sent(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		with nginx(tmp_path, good.port, free_port()) as front:
			assert send(front, "POST") == [200] * 8
		assert good.ids() == [str(number) for number in range(8)]

	def test_a_node_that_has_lost_its_database(self, tmp_path, upstreams):
		good, lost = upstreams(200, 502)
		with nginx(tmp_path, good.port, lost.port) as front:
			assert send(front, "GET") == [200] * 8
			assert len(lost.seen) <= 3

	@pytest.mark.parametrize("status", [500, 503])
	def test_not_what_frappe_says_itself(self, tmp_path, upstreams, status):
		"""Else a page with a mistake, or maintenance, would take every node out."""
		nodes = upstreams(status, status)
		with nginx(tmp_path, *(node.port for node in nodes)) as front:
			assert send(front, "GET") == [status] * 8
		assert sum(len(node.seen) for node in nodes) == 8


class TestLimits:
	def test_requests(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		with nginx(tmp_path, good.port, rate=5) as front:
			statuses = send(front, "GET", 40)
		assert statuses[:20] == [200] * 20
		assert statuses.count(429) >= 10

	def test_logins(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		with nginx(tmp_path, good.port) as front:
			statuses = [front.ask("/api/method/login", "POST", data=b"").status_code for _ in range(15)]
		assert statuses[:11] == [200] * 11
		assert 429 in statuses

	def test_size(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		with nginx(tmp_path, good.port, body="10k") as front:
			assert front.ask("/", "POST", data=b"x" * 9_000).status_code == 200
			assert front.ask("/", "POST", data=b"x" * 11_000).status_code == 413
		assert len(good.seen) == 1


class TestWhatNodesAreTold:
	def test_headers(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		with nginx(tmp_path, good.port) as front:
			front.ask("/", headers={"X-Forwarded-For": "6.6.6.6", "X-Frappe-Site-Name": "other"})
		headers = good.seen[0][2]
		assert headers["X-Forwarded-For"] == "127.0.0.1"
		assert headers["X-Frappe-Site-Name"] == SITE

	def test_websockets(self, tmp_path, upstreams):
		web, socketio = upstreams(200, 200)
		with nginx(tmp_path, web.port, socketio=f"127.0.0.1:{socketio.port}") as front:
			front.ask("/socket.io/?EIO=4", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
		headers = socketio.seen[0][2]
		assert (headers["Upgrade"], headers["Connection"]) == ("websocket", "upgrade")
		assert not web.seen

	def test_assets_come_from_the_disk(self, tmp_path, upstreams):
		(good,) = upstreams(200)
		picture = next((BENCH / "sites/assets/frappe/images").glob("*.svg"))
		with nginx(tmp_path, good.port) as front:
			assert front.ask(f"/assets/frappe/images/{picture.name}").content == picture.read_bytes()
			assert front.ask("/assets/none").status_code == 404
			assert front.ask(f"/../{SITE}/site_config.json").status_code in (200, 400)
			assert front.ask(f"/protected/{SITE}/site_config.json").status_code == 404
		assert [seen[1] for seen in good.seen] in ([], [f"/{SITE}/site_config.json"])


class TestGunicorns:
	def test_one_is_killed_under_load(self, tmp_path, gunicorns):
		"""No read fails, and before long nothing is sent to it."""
		killed, other = gunicorns({}, {})
		with nginx(tmp_path, killed.port, other.port) as front:
			at = time.monotonic() + 2
			killer = threading.Thread(target=lambda: (time.sleep(2), killed.kill()))
			killer.start()

			def read(_):
				time.sleep(0.05)
				return time.monotonic(), front.ask(PING).status_code

			with ThreadPoolExecutor(8) as pool:
				answers = list(pool.map(read, range(500)))
			killer.join()
			served = front.served()
		assert [status for _, status in answers if status != 200] == []
		assert sum(when < at for when, _ in answers) > 50 and sum(when > at + 0.5 for when, _ in answers) > 50
		assert {int(nodes.rpartition(":")[2]) for _, _, nodes in served[:50]} == {killed.port, other.port}
		assert any("," in nodes for _, _, nodes in served), "no request met the dead node"
		assert sum(str(killed.port) in nodes for _, _, nodes in served[-50:]) <= 4

	def test_one_is_cut_off_from_its_database(self, tmp_path, gunicorns):
		"""It lives, and says that it is not ready; nginx learns it from the requests themselves."""
		cut_off, other = gunicorns({"db_port": free_port()}, {})
		with nginx(tmp_path, cut_off.port) as front:
			told = front.ask("/healthz")
			assert (told.status_code, told.json()["checks"]["database"]["ok"]) == (503, False)
			assert told.json()["checks"]["redis_queue"] == {"ok": True}
			assert front.ask("/api/method/dogan_agents.api.health.live").json() == {"ok": True}
			assert front.ask(PING).status_code == 502
		with nginx(tmp_path, cut_off.port, other.port) as front:
			before = len(front.served())
			assert [front.ask(PING).status_code for _ in range(20)] == [200] * 20
			asked = [nodes for _, _, nodes in front.served()[before:]]
		assert 1 <= sum(str(cut_off.port) in nodes for nodes in asked) <= 3
