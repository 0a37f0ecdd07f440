from dogan_agents.engine.errors import DoganError


class LabError(DoganError):
	"""The lab cannot start or keep its servers."""


class ProgramsMissing(LabError):
	"""A server program of the lab is not installed."""
