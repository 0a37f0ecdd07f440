import os
import signal
import subprocess
import sys
from io import StringIO

import psutil
import pytest
from rich.console import Console

from dogan_agents.host.lab import LabHost
from dogan_agents.lab import demo, programs
from dogan_agents.lab.mail_to_lead import Fed
from dogan_agents.lab.node import Node
from dogan_agents.lab.pools import define_pools
from dogan_agents.lab.tally import count, measure_failover, quantile
from dogan_agents.lab.view import View

COMMAND = [sys.executable, "-m", "dogan_agents.lab.demo"]
OPTIONS = demo.Options(messages=20, nodes=1, kill=False)

DOCTORED = {
	"a doubled effect": (
		"INSERT INTO lab_effect (task, step, token) SELECT task, step, token FROM lab_effect LIMIT 1",
		"done twice: effect of ",
	),
	"a doubled reply": (
		"INSERT INTO lab_reply (message_id, recipient) SELECT message_id, recipient FROM lab_reply LIMIT 1",
		"done twice: reply of ",
	),
	"a lost message": ("DELETE FROM lab_message LIMIT 1", "20 messages were fed, 19 are there"),
	"a lost run": ("DELETE FROM `tabDogan Run` LIMIT 1", "has not one run"),
	"an open run": ("UPDATE `tabDogan Run` SET status = 'Running' LIMIT 1", "its run is Running"),
	"a lost effect": ("DELETE FROM lab_effect LIMIT 1", "is not recorded"),
	"a lost reply": ("DELETE FROM lab_reply LIMIT 1", "has no reply"),
	"a lost lead": ("DELETE FROM lab_lead LIMIT 1", "has no lead"),
	"a reply too many": (
		"INSERT INTO lab_reply (message_id, recipient) VALUES ('<x>', 'x@lab.example')",
		"replies are queued",
	),
}


def test_doctored_tables_do_not_tally(lab):
	host = LabHost(lab.config, "test")
	define_pools(host.own)
	with Node(lab.config, "node-1") as node, View(OPTIONS.messages, Console(file=StringIO())) as view:
		run = demo.Demo(OPTIONS, host, [node], view)
		run.run()
	fed = run.mailbox.fed
	assert fed == Fed(messages=20, again=2, runs_of_again=0)
	assert list(count(host.own).faults(fed)) == []
	for what, (sql, fault) in DOCTORED.items():
		host.own.begin()
		assert host.own.execute(sql) == 1, what
		assert any(fault in found for found in count(host.own).faults(fed)), what
		host.own.rollback()
	assert list(count(host.own).faults(fed)) == []


def test_nothing_fed_does_not_tally(lab):
	faults = list(count(LabHost(lab.config).own).faults(Fed(messages=3)))
	assert faults == ["3 messages were fed, 0 are there"]


@pytest.mark.slow
def test_a_node_is_killed_and_all_tallies():
	done = subprocess.run([*COMMAND, "--messages", "30", "--nodes", "2"], capture_output=True, text=True)
	assert done.returncode == 0, done.stdout + done.stderr
	for text in ("SIGKILL for node-", "Failover", "Everything tallies"):
		assert text in done.stdout


def test_an_interrupt_leaves_nothing_behind(tmp_path):
	environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
	with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, env=environment) as process:
		assert any("the mailbox opens" in line for line in process.stdout)
		inside = psutil.Process(process.pid).children(recursive=True)
		process.send_signal(signal.SIGINT)
		assert process.wait(30) == 130
	psutil.wait_procs(inside, timeout=10)
	assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in inside)
	assert list(tmp_path.iterdir()) == []


def test_missing_programs_are_named(monkeypatch, capsys):
	monkeypatch.setattr(sys, "argv", ["demo"])
	monkeypatch.setenv("PATH", "")
	monkeypatch.setattr(programs, "SYSTEM_FOLDERS", "")
	assert demo.main() == 2
	assert "sudo apt-get install mariadb-client-core" in capsys.readouterr().err


def test_a_failover_is_measured_from_the_kill(lab):
	db = LabHost(lab.config).own
	for name, claimed, ended in (("t1", 8, 9), ("t2", 8.5, 12)):
		db.execute(
			"INSERT INTO `tabDogan Task` (name, node, crashes, status, started_at, ended_at) VALUES (%s, 'b', 1, "
			"'Completed', TIMESTAMPADD(MICROSECOND, %s, '1970-01-01'), TIMESTAMPADD(MICROSECOND, %s, '1970-01-01'))",
			(name, claimed * 1e6, ended * 1e6),
		)
	found = measure_failover(db, "a", 1_000_000, ["t1", "t2"])
	assert (found.taken, found.claimed, found.done) == (2, 7.5, 11.0)
	missed = measure_failover(db, "a", 1_000_000, ["t1", "t2", "t3"])
	assert (missed.steps, missed.taken, missed.claimed) == (3, 2, None)


@pytest.mark.parametrize(
	("values", "share", "expected"), [([], 0.5, 0.0), ([3.0], 0.95, 3.0), ([4.0, 1.0, 2.0], 0.5, 2.0)]
)
def test_quantiles(values, share, expected):
	assert quantile(values, share) == expected
