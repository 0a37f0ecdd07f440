"""A LangGraph process: it takes numbers from one queue, runs the graph, and puts the outputs on another."""

import sqlite3
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from benchmarks import work


class State(TypedDict, total=False):
	number: int
	a: work.Output
	b: work.Output
	c: work.Output
	d: work.Output


def graph() -> Any:
	built = StateGraph(State)
	built.add_node("do_a", lambda state: {"a": work.a(state["number"])})
	built.add_node("do_b", lambda state: {"b": work.b(state["a"])})
	built.add_node("do_c", lambda state: {"c": work.c(state["a"])})
	built.add_node("do_d", lambda state: {"d": work.d(state["b"], state["c"])})
	built.add_edge(START, "do_a")
	built.add_edge("do_a", "do_b")
	built.add_edge("do_a", "do_c")
	built.add_edge(["do_b", "do_c"], "do_d")
	built.add_edge("do_d", END)
	return built


def main(database: Path, numbers: "Queue[int | None]", outputs: "Queue[tuple[int, work.Output]]") -> None:
	connection = sqlite3.connect(database, check_same_thread=False, timeout=60)
	compiled = graph().compile(checkpointer=SqliteSaver(connection))
	outputs.put((-1, {}))
	while (number := numbers.get()) is not None:
		config = {"configurable": {"thread_id": str(number)}}
		state = compiled.invoke({"number": number}, config)
		outputs.put((number, state["d"]))
