"""The site, connected to as an ordinary script does, and as if the outside world refused every connection.

ERPNext asks gravatar.com for a picture of each new Lead, and Frappe for each new Contact: what is measured
must neither depend on that nor call anybody. A proxy that is not there refuses at once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from benchmarks.places import BENCH, SITE

NOWHERE = "http://127.0.0.1:9"


@contextmanager
def connected_site() -> Iterator[None]:
	os.environ.update(http_proxy=NOWHERE, https_proxy=NOWHERE, no_proxy="127.0.0.1,localhost")
	os.chdir(BENCH / "sites")
	frappe.init(SITE)
	frappe.connect()
	frappe.set_user("Administrator")
	try:
		yield
	finally:
		frappe.db.rollback()
		frappe.destroy()
