"""For tools that still call setup.py; pip and bench build with flit, as pyproject.toml says."""

import re
from pathlib import Path

from setuptools import find_packages, setup

package = Path(__file__).parent / "dogan_agents"

setup(
	version=re.search(r'^__version__ = "(.+)"', (package / "__init__.py").read_text(), re.MULTILINE)[1],
	# `dogan_agents/doctype` is a link to `dogan_agents/dogan_agents/doctype`: ship its files once.
	packages=find_packages(include=["dogan_agents*"], exclude=["dogan_agents.doctype*"]),
	include_package_data=True,
)
