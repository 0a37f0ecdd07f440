"""A scratch folder that ends with this process, together with every process that works in it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dogan_agents.lab import guard


@contextmanager
def scratch_folder() -> Iterator[Path]:
	folder = Path(tempfile.mkdtemp(prefix="dogan-benchmark-")).resolve()
	folder.chmod(0o711)  # PostgreSQL runs as another user in a folder below
	watch = subprocess.Popen(
		[sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(folder)],
		cwd="/",
		stdin=subprocess.DEVNULL,
		start_new_session=True,
	)
	try:
		yield folder
	finally:
		watch.kill()
		watch.wait()
		shutil.rmtree(folder, ignore_errors=True)
