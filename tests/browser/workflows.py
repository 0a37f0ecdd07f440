"""The workflows that the tests draw and run."""

from typing import Any


def todo(step: str, description: str, *after: str, **more: Any) -> dict[str, Any]:
	"""A step that makes a ToDo."""
	values = {"description": description}
	return {
		"step": step,
		"action": "create_document",
		"depends_on": ", ".join(after),
		"input": {"doctype": "ToDo", "values": values},
		**more,
	}


def pause(step: str, *after: str, seconds: float = 0, **more: Any) -> dict[str, Any]:
	return {
		"step": step,
		"action": "wait",
		"depends_on": ", ".join(after),
		"input": {"seconds": seconds},
		**more,
	}


def change(step: str, doctype: str, name: str, *after: str, **more: Any) -> dict[str, Any]:
	"""A step that changes the description of a document, and fails while there is none."""
	return {
		"step": step,
		"action": "update_document",
		"depends_on": ", ".join(after),
		"input": {"doctype": doctype, "name": name, "values": {"description": "Looked at"}},
		**more,
	}


def order_to_delivery() -> tuple[dict[str, Any], ...]:
	"""A graph with branches, a way round, a condition and a join."""
	return (
		todo("check_credit", "Check the credit of {{ input.customer }}"),
		todo("reserve_stock", "Reserve stock for order {{ input.order }}", "check_credit"),
		pause("wait_for_parts", "check_credit", seconds=2),
		todo("ask_manager", "Approve the order", "check_credit", condition="input.amount > 50000"),
		todo("assemble", "Assemble order {{ input.order }}", "reserve_stock", "wait_for_parts"),
		pause("dry_paint", "assemble", seconds=3),
		todo("ship", "Ship order {{ input.order }}", "dry_paint", "ask_manager"),
		todo("invoice", "Bill {{ input.customer }}", "assemble", "ask_manager"),
		todo("thank", "Thank {{ input.customer }}", "ship", "invoice", "check_credit"),
	)
