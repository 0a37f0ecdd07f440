"""Tells people of what is mended again and again; in plain SQL, since the sweep's threads have no `frappe.db`."""

from datetime import datetime

from dogan_agents.engine.ids import new_id
from dogan_agents.engine.ports import Database
from dogan_agents.engine.sql import marks
from dogan_agents.host.healing import Alarm

ROLE = "System Manager"


def notify(db: Database, alarm: Alarm, at: datetime) -> None:
	"""A Notification Log for each System Manager, and the dot on their bell."""
	users = db.query(
		"SELECT DISTINCT u.name FROM tabUser u JOIN `tabHas Role` r ON r.parent = u.name AND r.parenttype = 'User' "
		"WHERE r.role = %s AND u.enabled = 1 AND u.user_type = 'System User'",
		(ROLE,),
	)
	subject = f"{alarm.kind}: {alarm.subject}, {alarm.count} times within an hour"
	for (user,) in users:
		values = {
			"name": new_id(), "creation": at, "modified": at, "owner": user, "modified_by": user, "subject": subject,
			"type": "Alert", "for_user": user, "from_user": "Administrator", "document_type": "Dogan Healing Event",
			"document_name": alarm.event,
		}  # fmt: skip
		db.execute(
			f"INSERT INTO `tabNotification Log` ({', '.join(values)}) VALUES ({marks(list(values))})",
			list(values.values()),
		)
	if users:
		db.execute(
			f"UPDATE `tabNotification Settings` SET seen = 0 WHERE name IN ({marks(users)})",
			[user for (user,) in users],
		)
