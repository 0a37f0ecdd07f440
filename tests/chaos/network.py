"""Networks of nodes from which one can be cut off while it goes on living."""

import os
import random
import secrets
import shutil
import socket
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dogan_agents.lab.config import LabConfig

PATH = "/usr/sbin:/sbin:" + os.environ["PATH"]
BENCHMARKING = "198.18"  # RFC 2544: nobody routes these addresses


@dataclass(frozen=True)
class Link:
	"""A node's way to the servers. While it is cut nothing arrives, and nothing says so."""

	config: LabConfig
	prefix: tuple[str, ...]
	cut: Callable[[], None]
	mend: Callable[[], None]


class Network(ABC):
	address = ""  # where the servers must listen, besides the loopback

	def __init__(self) -> None:
		self._stack = ExitStack()

	@abstractmethod
	def link(self, config: LabConfig) -> Link: ...

	def close(self) -> None:
		self._stack.close()


class Namespaces(Network):
	"""Each node in a network namespace of its own; a bridge joins them and this machine."""

	def __init__(self) -> None:
		super().__init__()
		self.tag = secrets.token_hex(3)
		self.subnet = f"{BENCHMARKING}.{random.SystemRandom().randrange(256)}"
		self.address = f"{self.subnet}.1"
		self.links = 0
		bridge = self._bridge = f"dg{self.tag}"
		self._add("link", f"add {bridge} type bridge", f"delete {bridge}")
		_ip(f"addr add {self.address}/24 dev {bridge}")
		_ip(f"link set {bridge} up")

	def link(self, config: LabConfig) -> Link:
		self.links += 1
		space, ours, theirs = (f"{kind}{self.tag}-{self.links}" for kind in ("dg", "do", "dt"))
		self._add("netns", f"add {space}", f"delete {space}")
		self._add("link", f"add {ours} type veth peer name {theirs}", f"delete {ours}")
		_ip(f"link set {ours} master {self._bridge} up")
		_ip(f"link set {theirs} netns {space}")
		for command in (
			f"addr add {self.subnet}.{self.links + 1}/24 dev {theirs}",
			f"link set {theirs} up",
			"link set lo up",
		):
			_ip(f"-netns {space} {command}")
		return Link(
			config.over(self.address),
			("ip", "netns", "exec", space),
			lambda: _ip(f"link set {ours} nomaster"),
			lambda: _ip(f"link set {ours} master {self._bridge}"),
		)

	def _add(self, what: str, add: str, delete: str) -> None:
		_ip(f"{what} {add}")
		self._stack.callback(_ip, f"{what} {delete}")


class Proxies(Network):
	"""Where namespaces are not to be had: each node reaches the servers through proxies that can be halted."""

	def link(self, config: LabConfig) -> Link:
		url = urlsplit(config.redis_url)
		mariadb, redis = Proxy(config.port), Proxy(int(url.port or 0))
		for proxy in (mariadb, redis):
			self._stack.callback(proxy.close)
		return Link(
			config.over("127.0.0.1", mariadb.port, redis.port),
			(),
			lambda: (mariadb.flowing.clear(), redis.flowing.clear()) and None,
			lambda: (mariadb.flowing.set(), redis.flowing.set()) and None,
		)


class Proxy:
	"""A port of the loopback that leads to another one; what is under way while it is halted comes later."""

	def __init__(self, target: int):
		self.target = target
		self.flowing = threading.Event()
		self.flowing.set()
		self._listener = socket.create_server(("127.0.0.1", 0))
		self.port = int(self._listener.getsockname()[1])
		_thread(self._accept)

	def close(self) -> None:
		with suppress(OSError):
			self._listener.shutdown(socket.SHUT_RDWR)
		self.flowing.set()

	def _accept(self) -> None:
		with suppress(OSError), self._listener:
			while True:
				client, _ = self._listener.accept()
				_thread(self._serve, client)

	def _serve(self, client: socket.socket) -> None:
		self.flowing.wait()
		with suppress(OSError), client, socket.create_connection(("127.0.0.1", self.target)) as server:
			back = _thread(self._pump, server, client)
			self._pump(client, server)
			back.join()

	def _pump(self, source: socket.socket, sink: socket.socket) -> None:
		with suppress(OSError):
			while data := source.recv(65536):
				self.flowing.wait()
				sink.sendall(data)
		self.flowing.wait()
		for each in (source, sink):
			with suppress(OSError):
				each.shutdown(socket.SHUT_RDWR)


@contextmanager
def make_network() -> Iterator[Network]:
	wanted = os.environ.get("DOGAN_CHAOS_NETWORK")
	network: Network = Namespaces() if wanted != "proxies" and namespaces_work() else Proxies()
	print(f"network: {type(network).__name__.lower()}")
	try:
		yield network
	finally:
		network.close()


def namespaces_work() -> bool:
	if os.getuid() != 0 or not shutil.which("ip", path=PATH):
		return False
	try:
		Namespaces().close()
	except subprocess.CalledProcessError:
		return False
	return True


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path | None]:
	"""A file system of its own; None where this process may not mount one."""
	folder.mkdir()
	if os.getuid() != 0 or _quietly("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)):
		yield None
		return
	try:
		yield folder
	finally:
		_quietly("umount", "--lazy", str(folder))


def _ip(arguments: str) -> None:
	subprocess.run(
		["ip", *arguments.split()], check=True, capture_output=True, env={**os.environ, "PATH": PATH}
	)


def _quietly(*command: str) -> int:
	return subprocess.run(command, capture_output=True, env={**os.environ, "PATH": PATH}).returncode


def _thread(target: Callable[..., None], *args: socket.socket) -> threading.Thread:
	thread = threading.Thread(target=target, args=args, daemon=True)
	thread.start()
	return thread
