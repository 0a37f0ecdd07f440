import pymysql
import pytest

from dogan_agents.engine import errors
from dogan_agents.engine.classify import classify
from dogan_agents.engine.ports import ErrorKind as E


@pytest.mark.parametrize(
	("error", "kind"),
	[
		(errors.StepTimeout("x"), E.TIMEOUT),
		(errors.TemporaryError("x"), E.TEMPORARY),
		(errors.PermanentError("x"), E.PERMANENT),
		(errors.ParkError("x"), E.PERSON),
		(errors.PayloadError("x"), E.INPUT),
		(errors.TemplateError("x"), E.INPUT),
		(errors.InputError("x"), E.INPUT),
		(errors.NotPermitted("x"), E.PERMISSION),
		(errors.NotFound("x"), E.NOT_FOUND),
		(errors.ActionError("x"), E.PERMANENT),
		(pymysql.err.OperationalError(1213, "deadlock"), E.DEADLOCK),
		(pymysql.err.OperationalError(1020, "changed since"), E.DEADLOCK),
		(pymysql.err.OperationalError(1205, "lock wait"), E.LOCK_WAIT),
		(pymysql.err.OperationalError(2006, "gone"), E.CONNECTION),
		(pymysql.err.OperationalError(2013, "lost"), E.CONNECTION),
		(pymysql.err.OperationalError(1927, "killed"), E.CONNECTION),
		(pymysql.err.InterfaceError(0, ""), E.CONNECTION),
		(pymysql.err.IntegrityError(1062, "duplicate"), E.UNKNOWN),
		(ConnectionResetError(), E.TEMPORARY),
		(TimeoutError(), E.TEMPORARY),
		(RuntimeError(), E.UNKNOWN),
	],
)
def test_kinds(error, kind):
	assert classify(error) is kind
