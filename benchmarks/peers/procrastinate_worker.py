"""A procrastinate process: `python -m benchmarks.peers.procrastinate_worker`, PostgreSQL in the environment."""

import asyncio

from benchmarks.peers.processes import READY
from benchmarks.peers.procrastinate_app import app

JOBS_AT_ONCE = 30


async def main() -> None:
	async with app.open_async():
		print(READY, flush=True)
		await app.run_worker_async(concurrency=JOBS_AT_ONCE)


if __name__ == "__main__":
	asyncio.run(main())
