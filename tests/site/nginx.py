"""A real nginx with the configuration we ship, in front of real gunicorns or of servers that misbehave on purpose."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from .conftest import BENCH, SITE

ROOT = Path(__file__).parents[2]
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NGINX = shutil.which("nginx", path=PATH)
MAIN = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
worker_processes 2;
{user}
events {{ }}
http {{
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	log_format nodes '$request_method $status $upstream_addr';
	access_log {folder}/access.log nodes;
	include {folder}/dogan.conf;
}}
"""


def free_port() -> int:
	with socket.socket() as listener:
		listener.bind(("127.0.0.1", 0))
		return int(listener.getsockname()[1])


class Front:
	"""nginx, as its clients see it."""

	def __init__(self, address: str, folder: Path):
		self.address = address
		self.folder = folder

	def ask(self, path: str, method: str = "GET", **more: Any) -> requests.Response:
		return requests.request(method, self.address + path, timeout=30, allow_redirects=False, **more)

	def served(self) -> list[tuple[str, int, str]]:
		"""Method, status and the nodes asked, of each request so far."""
		lines = (self.folder / "access.log").read_text().splitlines()
		parts = [line.split(" ", 2) for line in lines]
		return [(method, int(status), nodes) for method, status, nodes in parts]


@contextmanager
def nginx(folder: Path, *ports: int, **options: Any) -> Iterator[Front]:
	assert NGINX
	port = free_port()
	command = [ROOT / "bench-config/nginx/render", "--site", SITE, "--bench-dir", BENCH]
	for web in ports:
		command += ["--web", f"127.0.0.1:{web}"]
	for name, value in {"rate": 5000, "listen": f"127.0.0.1:{port}", **options}.items():
		command += [f"--{name}", str(value)]
	rendered = subprocess.run(command, check=True, capture_output=True, text=True).stdout
	(folder / "dogan.conf").write_text(rendered)
	user = "user root;" if os.getuid() == 0 else ""
	(folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
	with (folder / "stderr").open("wb") as stderr:
		process = subprocess.Popen([NGINX, "-p", folder, "-c", folder / "nginx.conf"], stderr=stderr)
	try:
		_wait(process, port, folder / "stderr")
		yield Front(f"http://127.0.0.1:{port}", folder)
	finally:
		process.terminate()
		process.wait(10)


class Gunicorn:
	"""A web node: the bench's gunicorn, with a configuration of its own where `conf` is given."""

	def __init__(self, folder: Path, **conf: Any):
		self.port = free_port()
		self.log = folder / f"gunicorn-{self.port}.log"
		command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", "--threads", "4"]
		with self.log.open("wb") as log:
			self.process = subprocess.Popen(
				[*command, "--log-level", "warning", "dogan_agents.api.wsgi:application"],
				cwd=_sites(folder / str(self.port), conf) if conf else BENCH / "sites",
				stdout=log,
				stderr=log,
				start_new_session=True,
			)

	def wait(self) -> "Gunicorn":
		_wait(self.process, self.port, self.log)
		live = f"http://127.0.0.1:{self.port}/api/method/dogan_agents.api.health.live"
		assert requests.get(live, timeout=60).json() == {"ok": True}
		return self

	def kill(self) -> None:
		"""All its processes at once, as when the machine loses power."""
		if self.process.poll() is None:
			os.killpg(self.process.pid, signal.SIGKILL)
			self.process.wait()


def _sites(folder: Path, conf: dict[str, Any]) -> Path:
	"""A sites folder like the bench's, with some of the common configuration changed."""
	theirs, ours = BENCH / "sites", folder / "sites"
	(folder / "logs").mkdir(parents=True)
	(ours / SITE / "logs").mkdir(parents=True)
	for source, target in ((theirs, ours), (theirs / SITE, ours / SITE)):
		for entry in source.iterdir():
			if not (target / entry.name).exists() and entry.name != "common_site_config.json":
				(target / entry.name).symlink_to(entry)
	common = json.loads((theirs / "common_site_config.json").read_text())
	(ours / "common_site_config.json").write_text(json.dumps({**common, **conf}))
	return ours


def _wait(process: subprocess.Popen, port: int, log: Path) -> None:
	end = time.monotonic() + 60
	while True:
		try:
			socket.create_connection(("127.0.0.1", port), 1).close()
			return
		except OSError:
			assert process.poll() is None and time.monotonic() < end, log.read_text()
			time.sleep(0.05)


class Upstream:
	"""A web node that answers with one status, or with 0 reads the request and hangs up; it notes what it saw."""

	def __init__(self, status: int):
		self.status = status
		self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
		self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
		self.port = self.server.server_port
		threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

	def ids(self) -> list[str]:
		return [headers["X-Id"] for _, _, headers, _ in self.seen]

	def close(self) -> None:
		self.server.shutdown()
		self.server.server_close()

	def _handler(upstream: "Upstream") -> type[BaseHTTPRequestHandler]:
		class Handler(BaseHTTPRequestHandler):
			def handle_one_request(self) -> None:
				self.raw_requestline = self.rfile.readline(65537)
				if not self.raw_requestline or not self.parse_request():
					self.close_connection = True
					return
				body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
				upstream.seen.append((self.command, self.path, dict(self.headers), body))
				if upstream.status:
					self.send_response(upstream.status)
					self.send_header("Content-Length", "0")
					self.end_headers()
				self.close_connection = True

			def log_message(self, *args: Any) -> None:
				pass

		return Handler
