import os
import random
from collections.abc import Iterator

import pytest

from tests.chaos.storm import Storm
from tests.engine.conftest import lab, lab_servers  # noqa: F401  (fixtures)

SEED = int(os.environ.get("DOGAN_CHAOS_SEED", "20240315"))


def make_chance() -> random.Random:
	print(f"DOGAN_CHAOS_SEED={SEED}")
	return random.Random(SEED)


@pytest.fixture
def storm(lab) -> Iterator[Storm]:  # noqa: F811
	storm = Storm(lab, make_chance())
	yield storm
	storm.end()
