"""What an action sees of the state that the steps of a run, or the runs of a workflow, share."""

from typing import Any, Protocol


class SharedState(Protocol):
	"""Keys with JSON values, read and written in the step's own transaction: what a step wrote goes when it fails.

	A key that is written stays locked until that transaction ends. Capitals do not tell keys apart.
	"""

	def get(self, key: str, default: Any = None) -> Any: ...

	def read(self, key: str) -> tuple[Any, int]:
		"""The value and its revision; (None, 0) when there is none."""
		...

	def set(self, key: str, value: Any) -> int:
		"""The new revision."""
		...

	def compare_and_set(self, key: str, value: Any, revision: int) -> bool:
		"""Write only if nobody has since this revision was read; 0 stands for a key that was not there."""
		...

	def increment(self, key: str, by: int | float = 1) -> int | float:
		"""The new number; a key that was not there counts as 0."""
		...

	def delete(self, key: str) -> bool:
		"""Whether it was there."""
		...

	def all(self) -> dict[str, Any]: ...

	@property
	def workflow(self) -> "SharedState":
		"""What all runs of the workflow share."""
		...
