"""Is the site set up so that workflows start and act?"""

import os
from collections.abc import Iterator

import frappe
from frappe.model.base_document import get_controller
from frappe.utils.scheduler import is_dormant, is_scheduler_inactive

from dogan_agents.doctor.finding import Finding, fail, ok, warn
from dogan_agents.engine.errors import ActionError
from dogan_agents.host.frappe import site_host
from dogan_agents.host.identity import FORBIDDEN
from dogan_agents.mail.account import DoganEmailAccount


def scheduler() -> Iterator[Finding]:
	if is_scheduler_inactive(verbose=False):
		yield warn(
			"scheduler",
			"The scheduler does not run on this site: no mail is pulled or sent, and nothing sweeps an idle site.",
			f"Run: bench --site {frappe.local.site} enable-scheduler (and end maintenance mode)",
		)
	elif is_dormant():
		yield warn("scheduler", "The site counts as dormant: its jobs run seldom.", "Log in once.")
	else:
		yield ok("scheduler", "Enabled.")


def actions() -> Iterator[Finding]:
	try:
		known = site_host().actions
	except ActionError as error:
		yield fail("actions", str(error), "Correct the hook dogan_actions of the app that names it.")
		return
	steps = frappe.get_all("Dogan Workflow Step", ["parent", "step", "action"], order_by="parent, idx")
	unknown = [f"{row.parent}.{row.step} ({row.action})" for row in steps if row.action not in known]
	if unknown:
		yield fail(
			"actions",
			f"Steps whose action is gone: {', '.join(unknown[:5])}.",
			"Install the app that had it, or change the workflow.",
		)
	else:
		yield ok("actions", f"{len(known)} are registered.")


def mail_account() -> Iterator[Finding]:
	used = get_controller("Email Account")
	if issubclass(used, DoganEmailAccount):
		yield ok("mail accounts", "One broken message cannot stop an account.")
	else:
		yield warn(
			"mail accounts",
			f"Another app has put {used.__module__}.{used.__name__} in place of our Email Account: mail starts "
			"workflows all the same, but a message that cannot be read loses those fetched with it.",
			"Let that class inherit from dogan_agents.mail.account.DoganEmailAccount.",
		)


def identities() -> Iterator[Finding]:
	rows = frappe.db.sql(
		"""SELECT DISTINCT w.name FROM `tabDogan Workflow Trigger` t JOIN `tabDogan Workflow` w ON w.name = t.parent
		LEFT JOIN `tabDogan Agent` a ON a.name = w.agent
		WHERE t.enabled = 1 AND w.enabled = 1 AND t.trigger_type = 'Mail' AND COALESCE(w.run_as, '') = ''
		AND COALESCE(a.user, '') = '' AND w.modified_by IN %s ORDER BY w.name""",
		(FORBIDDEN,),
	)
	if rows:
		yield fail(
			"identities",
			f"Workflows that mail cannot start, for they have nobody to run as: {', '.join(row[0] for row in rows)}.",
			"Choose a user in the workflow's field Runs as User, or in that of its agent.",
		)
	else:
		yield ok("identities", "Every workflow that mail starts has a user to run as.")


def environment() -> Iterator[Finding]:
	if os.environ.get("CI"):
		yield warn("environment", "CI is set here: Frappe then sends no mail.", "Unset CI for workers.")
	else:
		yield ok("environment", "CI is not set.")
