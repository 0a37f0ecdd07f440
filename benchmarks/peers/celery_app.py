"""The Celery application; its workers find Redis in the environment."""

import os

from celery import Celery

from benchmarks import work

REDIS = "DOGAN_BENCHMARK_REDIS"

app = Celery("benchmark", broker=os.environ[REDIS], backend=os.environ[REDIS])


@app.task
def a(number: int) -> work.Output:
	return work.a(number)


@app.task
def b(before: work.Output) -> work.Output:
	return work.b(before)


@app.task
def c(before: work.Output) -> work.Output:
	return work.c(before)


@app.task
def d(both: list[work.Output]) -> work.Output:
	return work.d(*both)
