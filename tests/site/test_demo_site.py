import os
import subprocess
import sys

import frappe

from dogan_agents.lab.site_flow import DOMAIN, NAME

from .conftest import BENCH, SITE

COMMAND = [sys.executable, "-m", "dogan_agents.lab.demo_site", "--messages", "20"]


def test_the_demo_tallies_and_leaves_nothing_behind(site):
	environment = {**os.environ, "DOGAN_BENCH": str(BENCH), "DOGAN_SITE": SITE}
	done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=280)
	assert done.returncode == 0, done.stdout + done.stderr
	assert "Everything tallies" in done.stdout
	assert "SIGKILL" in done.stdout
	for doctype, filters in {
		"Lead": {"email_id": ("like", f"%{DOMAIN}")},
		"Contact": {"email_id": ("like", f"%{DOMAIN}")},
		"User": {"name": ("like", f"%{DOMAIN}")},
		"Communication": {"email_account": NAME},
		"Email Account": {"name": NAME},
		"Email Queue": {"email_account": NAME},
		"Dogan Workflow": {"name": NAME},
		"Dogan Run": {"workflow": NAME},
		"Dogan Task": {"workflow": NAME},
	}.items():
		assert not frappe.get_all(doctype, filters, pluck="name"), doctype
