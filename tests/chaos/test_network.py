import socket

import pytest

from tests.chaos.network import Proxy


def test_what_is_sent_while_a_proxy_is_halted_arrives_later():
	with socket.create_server(("127.0.0.1", 0)) as server:
		proxy = Proxy(server.getsockname()[1])
		with socket.create_connection(("127.0.0.1", proxy.port)) as near:
			far, _ = server.accept()
			with far:
				near.sendall(b"one")
				assert far.recv(10) == b"one"
				proxy.flowing.clear()
				near.sendall(b"two")
				far.settimeout(0.2)
				with pytest.raises(TimeoutError):
					far.recv(10)
				proxy.flowing.set()
				far.settimeout(5)
				assert far.recv(10) == b"two"
			assert near.recv(10) == b""
		proxy.close()
