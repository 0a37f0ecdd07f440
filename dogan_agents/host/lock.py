"""Names that one transaction at a time may hold."""

import hashlib

import frappe


def hold(name: str) -> None:
	"""Hold a name until this transaction ends, however it ends; whoever else wants it waits for that.

	A row is written and taken away again: its lock stays, and no row does. There is no gap to lock, as there is
	when one looks for a row that is not there yet, so transactions with different names never meet.
	"""
	key = "hold:" + hashlib.sha256(name.encode()).hexdigest()
	frappe.db.sql(
		"INSERT INTO `tabDogan Lease` (name, creation, modified) VALUES (%s, NOW(6), NOW(6)) "
		"ON DUPLICATE KEY UPDATE modified = NOW(6)",
		(key,),
	)
	frappe.db.sql("DELETE FROM `tabDogan Lease` WHERE name = %s", (key,))
