"""The lab's pools: the same as a site has after its installation."""

from dogan_agents.engine.ports import Database

POOLS = {"default": "default", "mail": "short", "documents": "long", "llm": "long"}
QUEUES = tuple(dict.fromkeys(POOLS.values()))
"""What a node's workers listen to, in this order."""


def define_pools(db: Database) -> None:
	for pool, queue in POOLS.items():
		db.execute(
			"INSERT INTO `tabDogan Pool` (name, creation, modified, owner, pool_name, queue) "
			"VALUES (%s, NOW(6), NOW(6), 'lab', %s, %s) ON DUPLICATE KEY UPDATE queue = VALUES(queue)",
			(pool, pool, queue),
		)
