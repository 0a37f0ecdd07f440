"""Where things are."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BENCH = Path(os.environ.get("DOGAN_BENCH") or Path.home() / "frappe-bench")
SITE = os.environ.get("DOGAN_SITE") or "dogan.localhost"
