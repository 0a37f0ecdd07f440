"""Cron lines, as croniter reads them."""

from datetime import datetime

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from dogan_agents.engine.errors import SpecError


def check_cron(line: str) -> None:
	"""Raise SpecError unless the line has five valid fields and comes due at some time."""
	try:
		if len(line.split()) != 5:
			raise SpecError("a cron line has five fields: minute hour day month weekday", field="cron")
		croniter(line, datetime(2024, 1, 1)).get_next()
	except (CroniterBadCronError, CroniterBadDateError, ValueError, KeyError) as error:
		raise SpecError(f"not a cron line: {error}", field="cron") from error


def last_due(line: str, now: datetime) -> datetime:
	"""The latest time, at `now` or before it, that the line names; both in the site's time."""
	minute = now.replace(second=0, microsecond=0)
	if croniter.match(line, minute):
		return minute
	due: datetime = croniter(line, minute).get_prev(datetime)
	return due
