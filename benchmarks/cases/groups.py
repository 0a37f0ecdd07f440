"""Works, each done by several cases."""

from benchmarks.case import Group

W = Group("Work W: runs of A → (B, C) → D with trivial steps, two worker processes", "steps/s")
W_ON_A_SITE = Group("Work W on a site, through two ordinary bench workers", "steps/s")
MAIL_TO_LEAD = Group("Mail to Lead on a site", "messages/s")
IDLE = Group("An idle system: from start to the first step running, p50", "ms", lower_is_better=True)
OUTSIDE = Group("Nodes of two workers: work W whose steps wait 50 ms for something outside", "steps/s")
EVENNESS = Group(
	"Three equal nodes, the same work: what the busiest performs", "% of the mean", lower_is_better=True
)
FAILOVER = Group(
	"A node of three is killed: until others have claimed what it held, p50", "s", lower_is_better=True
)
BACKLOG = Group("A backlog of 100,000 ready tasks, two worker processes", "steps/s")
