"""A run for each incoming message, its Lead made by a step; from before the first start to the last run's end."""

import time

from benchmarks.program import main, wait_until
from benchmarks.site import messages
from benchmarks.site.program import SiteProgram

LEAD = {
	"step": "lead",
	"action": "lead_from_mail",
	"input": {"communication": "{{ input.communication }}"},
}


class MailRuns(SiteProgram):
	steps = (LEAD,)

	def measure(self, runs: range) -> float:
		communications = messages.receive(runs)
		aim = self.completed() + len(communications)
		began = time.perf_counter()
		for communication in communications:
			self.submit_and_commit({"communication": communication})
		try:
			wait_until(lambda: self.completed() >= aim, "the runs", every=0.02)
			elapsed = time.perf_counter() - began
			messages.check(communications)
		finally:
			messages.remove(communications)
		return len(communications) / elapsed


if __name__ == "__main__":
	main(MailRuns)
