"""Is Frappe's scheduler at work? For the sweep, which runs in threads where there is no `frappe.db`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dogan_agents.engine.ports import Database

SILENT_SECONDS = 300
SWITCHES = ("maintenance_mode", "pause_scheduler", "disable_scheduler")


def silent_since(db: Database, config: Mapping[str, Any], now: datetime) -> datetime | None:
	"""When the last scheduled job was begun, if that is too long ago and the scheduler is on; `now` as `local`."""
	if any(config.get(switch) for switch in SWITCHES):
		return None
	rows = db.query(
		"SELECT value FROM tabSingles WHERE doctype = 'System Settings' AND field = 'enable_scheduler'"
	)
	if not rows or str(rows[0][0]) != "1":
		return None
	((last,),) = db.query(
		"SELECT MAX(COALESCE(last_execution, creation)) FROM `tabScheduled Job Type` WHERE stopped = 0"
	)
	return last if last and last < now - timedelta(seconds=SILENT_SECONDS) else None
