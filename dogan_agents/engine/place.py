"""Where a task may be performed: what its step asks for, and what was answered when it became Ready."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

LABEL = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*([^\s,=]+)\s*")


class Policy(str, Enum):
	ROUND_ROBIN = "Round Robin"
	LEAST_LOADED = "Least Loaded"
	WEIGHTED = "Weighted"
	NODE = "Node"  # a named one
	LABEL = "Label"  # one with these labels
	AFFINITY = "Affinity"  # the same one for the same key


@dataclass(frozen=True, slots=True)
class PlaceRequest:
	policy: Policy
	value: str = ""  # a node's name, labels, or the digest of an affinity key
	required: bool = False  # rather wait than be performed elsewhere

	def encode(self) -> str:
		"""For the task's column `place`."""
		return json.dumps([self.policy.value, self.value, int(self.required)], ensure_ascii=False)

	@classmethod
	def decode(cls, text: str) -> "PlaceRequest":
		policy, value, required = json.loads(text)
		return cls(Policy(policy), value, bool(required))


@dataclass(frozen=True, slots=True)
class Place:
	"""A node that the task waits for; None: any. What is not pinned may be taken by a node that is idle."""

	node: str | None = None
	pinned: bool = False


@dataclass(frozen=True, slots=True)
class Nowhere:
	"""No node may perform the task now; it waits until one may."""

	reason: str


ANYWHERE = Place()


def parse_labels(text: str) -> dict[str, str] | None:
	"""`region=eu, gpu=1`, commas or lines between them; None when it is something else."""
	labels = {}
	for part in re.split(r"[,\n]", text):
		if part.strip():
			match = LABEL.fullmatch(part)
			if not match:
				return None
			labels[match[1]] = match[2]
	return labels


def matches(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
	return all(labels.get(key) == value for key, value in wanted.items())


def affinity(key: object) -> str:
	"""A key of any length in a few characters."""
	return hashlib.sha256(str(key).encode("utf-8", "replace")).hexdigest()[:32]
