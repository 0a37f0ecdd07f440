"""Ports and sockets of this machine."""

import random
import socket

# Below the range the kernel gives to outgoing connections, so that a port stays free while its server restarts.
RANGE = range(20000, 32000)


def free_port() -> int:
	while True:
		port = random.choice(RANGE)
		if _is_free(port):
			return port


def is_listening(address: str | tuple[str, int]) -> bool:
	"""Whether a connection can be made to the path of a socket, or to a host and port."""
	family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
	with socket.socket(family) as connection:
		return connection.connect_ex(address) == 0


def _is_free(port: int) -> bool:
	with socket.socket() as candidate:
		try:
			candidate.bind(("127.0.0.1", port))
		except OSError:
			return False
	return True
