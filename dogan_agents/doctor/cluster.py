"""Do the nodes live, and does each pool have one that serves it?"""

from collections.abc import Iterator

import frappe

from dogan_agents.cluster.node import NODE, STATUS
from dogan_agents.doctor.finding import Finding, ok, warn


def nodes() -> Iterator[Finding]:
	rows = frappe.db.sql(f"SELECT name, {STATUS} FROM {NODE} ORDER BY name")
	alive = [name for name, status in rows if status not in ("Dead", "Stopped")]
	if not rows:
		yield ok(
			"nodes", "No node process runs: plain workers do the work, and the scheduler sweeps each minute."
		)
		return
	silent = [f"{name} ({status})" for name, status in rows if status in ("Late", "Dead")]
	if silent:
		yield warn(
			"nodes",
			f"Silent: {', '.join(silent)}. Nothing begins there, not even on plain workers, once they are dead.",
			"Start bench dogan node there again, or forget the node on its form.",
		)
	closed = [f"{name} ({status})" for name, status in rows if status in ("Cordoned", "Draining")]
	if closed:
		yield warn("nodes", f"Closed to work: {', '.join(closed)}.", "Uncordon them on their forms.")
	if alive:
		yield ok("nodes", f"Alive: {', '.join(alive)}.")
	else:
		yield warn(
			"nodes",
			"Node processes have run here, and none does now: the scheduler sweeps each minute.",
			f"Run: bench --site {frappe.local.site} dogan node",
		)
