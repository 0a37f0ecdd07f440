"""Can this process serve a site? Asked each second, also while MariaDB or Redis is away, so by itself."""
