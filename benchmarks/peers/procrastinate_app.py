"""The procrastinate application. It knows no graph: each task defers its successors, and a table joins."""

import os

from procrastinate import App, PsycopgConnector

from benchmarks import work

POSTGRES = "DOGAN_BENCHMARK_POSTGRES"

JOINS = "create table joins (run bigint primary key, outputs jsonb[] not null)"
ARRIVE = """
	insert into joins (run, outputs) values (%(run)s, array[%(output)s::jsonb])
	on conflict (run) do update set outputs = joins.outputs || excluded.outputs returning outputs
"""

app = App(connector=PsycopgConnector(conninfo=os.environ.get(POSTGRES, ""), min_size=4, max_size=20))


@app.task
async def a(number: int) -> None:
	before = work.a(number)
	await b.defer_async(number=number, before=before)
	await c.defer_async(number=number, before=before)


@app.task
async def b(number: int, before: work.Output) -> None:
	await _join(number, work.b(before))


@app.task
async def c(number: int, before: work.Output) -> None:
	await _join(number, work.c(before))


@app.task
async def d(number: int, left: work.Output, right: work.Output) -> None:
	work.d(left, right)


async def _join(number: int, output: work.Output) -> None:
	arrived = (await app.connector.execute_query_one_async(ARRIVE, run=number, output=output))["outputs"]
	if len(arrived) == 2:
		await d.defer_async(number=number, left=arrived[0], right=arrived[1])
