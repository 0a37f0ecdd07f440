"""Work W on the site, started a hundred runs a commit."""

import frappe

from benchmarks.program import main
from benchmarks.site.diamond import Diamond

AT_A_TIME = 100


class DiamondBulk(Diamond):
	def submit_all(self, runs: range) -> list[str]:
		names: list[str] = []
		for first in range(0, len(runs), AT_A_TIME):
			names.extend(self.submit({"number": number}) for number in runs[first : first + AT_A_TIME])
			frappe.db.commit()
		return names


if __name__ == "__main__":
	main(DiamondBulk)
