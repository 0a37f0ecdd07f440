from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
	OK = "ok"
	WARN = "warn"  # it works, but not as it should
	FAIL = "fail"  # work is not done


@dataclass(frozen=True)
class Finding:
	check: str
	level: Level
	text: str
	remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def ok(check: str, text: str) -> Finding:
	return Finding(check, Level.OK, text)


def warn(check: str, text: str, remedy: str) -> Finding:
	return Finding(check, Level.WARN, text, remedy)


def fail(check: str, text: str, remedy: str) -> Finding:
	return Finding(check, Level.FAIL, text, remedy)
