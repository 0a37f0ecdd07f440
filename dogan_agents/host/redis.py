"""Connections to the bench's two Redis servers that give up soon."""

from redis import ConnectionPool, Redis


def impatient(redis: Redis, seconds: float) -> Redis:
	"""The same server, on connections that wait for an answer no longer than this: Frappe's wait for ever.

	Those that a Sentinel hands out stay as they are.
	"""
	pool = redis.connection_pool
	if type(pool) is not ConnectionPool:
		return Redis(connection_pool=pool)
	options = {**pool.connection_kwargs, "socket_timeout": seconds}
	return Redis(connection_pool=ConnectionPool(pool.connection_class, **options))
