"""What a bench does without us: the yardsticks of the engine on a site."""

from benchmarks.case import Case, Home, Role, Service
from benchmarks.cases.groups import MAIL_TO_LEAD, W_ON_A_SITE

CASES = (
	Case(
		name="site_naive",
		title="frappe.enqueue chain",
		group=W_ON_A_SITE,
		role=Role.PEER,
		home=Home.BENCH,
		module="benchmarks.site.naive",
		promise="The row is on disk; the chain is in Redis alone and breaks where a worker dies.",
		where_time_goes=(
			"A fork a job, in which Frappe connects to the database and loads the site's configuration and hooks",
			"afresh; the row itself takes about a millisecond.",
		),
		services=(Service.REDIS,),
		most_runs=60,
	),
	Case(
		name="site_mail_loop",
		title="bare loop, a commit each",
		group=MAIL_TO_LEAD,
		role=Role.PEER,
		home=Home.BENCH,
		module="benchmarks.site.mail_loop",
		promise="Each Lead is on disk; a message at which the loop dies is not tried again.",
		where_time_goes=(
			"ERPNext's own work: the Lead's controller with its naming, contact and timeline rows, and linking the",
			"Communication; the commit is a small part.",
		),
		most_runs=100,
	),
)
