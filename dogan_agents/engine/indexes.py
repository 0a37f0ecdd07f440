"""Indexes for the queries the engine and the desk make; applied by both hosts. Keys are DocTypes.

A column that is 0 or NULL unless the row is in that very queue keeps the index of a queue as short as the queue.
"""

INDEXES: dict[str, list[tuple[str, ...]]] = {
	"Dogan Run": [
		("queue_key",),
		("fair_key", "queue_key"),
		("workflow", "status"),
		("status", "creation"),
		("blocked_on", "creation"),
		("reference_doctype", "reference_name"),
		("user",),
	],
	"Dogan Task": [
		("pool", "ready_key"),
		("pool", "target", "ready_key"),
		("pool", "fair_key", "ready_key"),
		("run",),
		("running_on",),
		("due",),
		("blocked_on", "creation"),
	],
	"Dogan Worker": [("status", "expires")],
	"Dogan Healing Event": [("helped", "happened"), ("last_seen",)],
}

UNIQUE: dict[str, list[tuple[str, ...]]] = {
	"Dogan Run": [("idempotency_digest",)],
	"Dogan State": [("scope_type", "scope", "key")],
}
