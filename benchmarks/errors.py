class Missing(Exception):
	"""Cannot be measured on this machine; the message says why and what would help."""
