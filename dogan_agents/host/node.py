"""The name of the machine this process runs on, as the cluster knows it."""

import os
import socket

VARIABLE = "DOGAN_NODE"


def node_name() -> str:
	return os.environ.get(VARIABLE) or socket.gethostname().split(".")[0]
