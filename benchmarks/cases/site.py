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
		promise="each row on disk; the chain is in Redis and breaks with a worker",
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
		promise="each Lead on disk; where the loop dies, it stops",
		where_time_goes=(
			"Frappe's and ERPNext's Python around some 45 statements a message: the Lead, its Contact, and the link of",
			"the Communication; the commit is a twentieth.",
		),
		most_runs=100,
	),
)
