"""Where the engine lives: a Frappe site, or the lab."""
