"""From an exception to its kind, for what every host knows: the engine's own errors, MariaDB's, the network's."""

import pymysql

from dogan_agents.engine import errors
from dogan_agents.engine.ports import ErrorKind

OWN: tuple[tuple[type[BaseException], ErrorKind], ...] = (
	(errors.StepTimeout, ErrorKind.TIMEOUT),
	(errors.TemporaryError, ErrorKind.TEMPORARY),
	(errors.PermanentError, ErrorKind.PERMANENT),
	(errors.ParkError, ErrorKind.PERSON),
	(errors.NotPermitted, ErrorKind.PERMISSION),
	(errors.NotFound, ErrorKind.NOT_FOUND),
	(errors.InputError, ErrorKind.INPUT),
	(errors.PayloadError, ErrorKind.INPUT),
	(errors.TemplateError, ErrorKind.INPUT),
	(errors.ActionError, ErrorKind.PERMANENT),
)
DEADLOCKS = frozenset({1213, 1020})  # the whole transaction is void
LOCK_WAITS = frozenset({1205})
GONE = frozenset(
	{0, 1053, 1927, 2002, 2003, 2006, 2013, 2014, 2055}
)  # shutdown, killed, unreachable, out of step


def classify(error: BaseException) -> ErrorKind:
	for known, kind in OWN:
		if isinstance(error, known):
			return kind
	if isinstance(error, pymysql.err.InterfaceError):
		return ErrorKind.CONNECTION
	if isinstance(error, pymysql.err.MySQLError):
		return _of_code(error.args[0] if error.args else None)
	if isinstance(error, ConnectionError | TimeoutError):
		return ErrorKind.TEMPORARY
	return ErrorKind.UNKNOWN


def _of_code(code: object) -> ErrorKind:
	if code in DEADLOCKS:
		return ErrorKind.DEADLOCK
	if code in LOCK_WAITS:
		return ErrorKind.LOCK_WAIT
	return ErrorKind.CONNECTION if code in GONE else ErrorKind.UNKNOWN
