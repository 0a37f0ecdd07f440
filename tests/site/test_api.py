import frappe
import pytest
from frappe.installer import update_site_config
from frappe.utils.password import update_password

from .helpers import run_of, work_off
from .http import Client, api_key, said, serve

RUNS, WORKFLOWS = "dogan_agents.api.runs", "dogan_agents.api.workflows"
SKIPPED = {"step": "first", "action": "wait", "condition": "false", "input": {"seconds": 0}}
FAILING = {
	"step": "first",
	"action": "update_document",
	"input": {"doctype": "ToDo", "name": "no such", "values": {}},
}


@pytest.fixture(scope="module")
def address(site):
	with serve() as address:
		yield address


@pytest.fixture
def client(address, site, workshop):
	"""Makes a client for a new user of these roles."""

	def make(*roles):
		made = Client(address, site, api_key(workshop.user(*roles)))
		workshop.finally_do(made.session.close)
		return made

	return make


@pytest.fixture
def workflow(workshop):
	return workshop.workflow(SKIPPED, {**SKIPPED, "step": "second", "depends_on": "first"})


class TestStart:
	@pytest.mark.parametrize("role", ["Dogan Operator", "Dogan Manager", "System Manager"])
	def test_those_who_may(self, client, workflow, role):
		answer = client(role).post(f"{RUNS}.start", workflow=workflow.name, input={"amount": 3})
		assert answer.status_code == 200, said(answer)
		message = answer.json()["message"]
		run = run_of(workflow)
		assert message == {"run": run.name, "status": "Queued"}
		assert (frappe.parse_json(run.input), run.trigger) == ({"amount": 3}, "api")
		work_off()
		assert run_of(workflow).status == "Completed"

	def test_others_are_refused_in_words_that_help(self, client, workflow):
		answer = client("Sales User").post(f"{RUNS}.start", workflow=workflow.name)
		assert answer.status_code == 403
		assert "Dogan Operator" in said(answer)
		assert not frappe.db.count("Dogan Run", {"workflow": workflow.name})

	def test_guests_are_refused(self, address, site, workflow):
		assert Client(address, site).post(f"{RUNS}.start", workflow=workflow.name).status_code == 403

	def test_a_session_of_the_desk(self, address, site, workshop, workflow):
		user = workshop.user("Dogan Operator")
		update_password(user, "correct horse")
		frappe.db.commit()
		desk = Client(address, site)
		desk.login(user, "correct horse")
		assert desk.post(f"{RUNS}.start", workflow=workflow.name).status_code == 200
		run = run_of(workflow)
		assert (run.trigger, run.user) == ("manual", user)

	def test_get_changes_nothing(self, client, workflow):
		assert client("Dogan Operator").get(f"{RUNS}.start", workflow=workflow.name).status_code == 403
		assert not frappe.db.count("Dogan Run", {"workflow": workflow.name})

	def test_idempotency_key(self, client, workflow):
		operator = client("Dogan Operator")
		answers = [
			operator.post(f"{RUNS}.start", workflow=workflow.name, idempotency_key="order 7")
			for _ in range(2)
		]
		assert answers[0].json()["message"]["run"] == answers[1].json()["message"]["run"]
		run_of(workflow)

	def test_input_as_text(self, client, workflow):
		client("Dogan Operator").post(f"{RUNS}.start", workflow=workflow.name, input='{"a": 1}')
		assert frappe.parse_json(run_of(workflow).input) == {"a": 1}

	@pytest.mark.parametrize(
		("data", "code", "words"),
		[
			({"input": "{"}, 417, "not valid JSON"),
			({"input": "[1]"}, 417, "not a JSON object"),
			({"input": 7}, 417, "input"),
			({"input": {"text": "x" * 1_100_000}}, 417, "at most 1 MB"),
			({"workflow": "No Such Workflow"}, 404, "No Such Workflow"),
			({"workflow": ["x"]}, 417, "workflow"),
			({"idempotency_key": "x" * 141}, 417, "140"),
			({"reference_doctype": "ToDo"}, 417, "needs both"),
			({"reference_doctype": "ToDo", "reference_name": "none"}, 404, "none"),
		],
	)
	def test_bad_input(self, client, workflow, data, code, words):
		answer = client("Dogan Operator").post(f"{RUNS}.start", **{"workflow": workflow.name, **data})
		assert answer.status_code == code, said(answer)
		assert words in said(answer)
		assert not frappe.db.count("Dogan Run", {"workflow": workflow.name})

	def test_a_reference_that_the_user_may_not_read(self, client, workshop, workflow):
		lead = workshop.make("Lead", first_name="Ada")
		data = {"workflow": workflow.name, "reference_doctype": "Lead", "reference_name": lead.name}
		assert client("Dogan Operator").post(f"{RUNS}.start", **data).status_code == 403
		assert client("Dogan Operator", "Sales User").post(f"{RUNS}.start", **data).status_code == 200

	def test_a_disabled_workflow(self, client, workflow):
		workflow.db_set("enabled", 0)
		frappe.db.commit()
		answer = client("Dogan Operator").post(f"{RUNS}.start", workflow=workflow.name)
		assert answer.status_code == 417
		assert "disabled" in said(answer)

	def test_rate_limit(self, client, workflow):
		operator = client("Dogan Operator")
		update_site_config("dogan_rate_limit", 1)
		try:
			codes = [
				operator.post(f"{RUNS}.start", workflow=workflow.name, idempotency_key="k").status_code
				for _ in range(2)
			]
		finally:
			update_site_config("dogan_rate_limit", "None")
		assert codes[-1] == 429


class TestRuns:
	def start(self, client, workflow):
		return client.post(f"{RUNS}.start", workflow=workflow.name).json()["message"]["run"]

	def test_status_tells_each_step(self, client, workflow):
		operator = client("Dogan Operator")
		run = self.start(operator, workflow)
		assert operator.get(f"{RUNS}.status", run=run).json()["message"]["tasks"] == []
		work_off()
		message = operator.get(f"{RUNS}.status", run=run).json()["message"]
		assert (message["run"], message["status"]) == (run, "Completed")
		assert [(task["step"], task["status"]) for task in message["tasks"]] == [
			("first", "Skipped"),
			("second", "Skipped"),
		]

	def test_status_is_for_those_who_may_read_the_run(self, client, workflow):
		run = self.start(client("Dogan Operator"), workflow)
		assert client("Sales User").get(f"{RUNS}.status", run=run).status_code == 403
		assert client("Dogan Operator").get(f"{RUNS}.status", run="none").status_code == 404

	def test_cancel(self, client, workflow):
		operator = client("Dogan Operator")
		run = self.start(operator, workflow)
		assert client("Sales User").post(f"{RUNS}.cancel", run=run).status_code == 403
		answer = operator.post(f"{RUNS}.cancel", run=run)
		assert answer.json()["message"] == {"run": run, "status": "Cancelled"}
		again = operator.post(f"{RUNS}.cancel", run=run)
		assert again.status_code == 417
		assert "Cancelled cannot become Cancelled" in said(again)

	def test_retry(self, client, workshop):
		operator = client("Dogan Operator", "System Manager")
		workflow = workshop.workflow(FAILING)
		run = self.start(operator, workflow)
		early = operator.post(f"{RUNS}.retry", run=run)
		assert early.status_code == 417
		assert "no failed, parked or cancelled step" in said(early)
		work_off()
		message = operator.get(f"{RUNS}.status", run=run).json()["message"]
		assert (message["status"], message["tasks"][0]["error_kind"]) == ("Failed", "Not found")
		assert operator.post(f"{RUNS}.retry", run=run).json()["message"]["status"] == "Running"
		assert client("Sales User").post(f"{RUNS}.retry", run=run).status_code == 403


class TestWorkflows:
	def test_actions(self, client):
		answer = client("Dogan Operator").get(f"{WORKFLOWS}.actions")
		found = {action["name"]: action for action in answer.json()["message"]}
		assert found["send_mail"]["title"] == "Send mail"
		assert "own transaction" in found["send_mail"]["description"]
		assert "message" in found["send_mail"]["input"]["required"]
		assert client("Sales User").get(f"{WORKFLOWS}.actions").status_code == 403

	def test_graph(self, client, workflow):
		operator = client("Dogan Operator")
		message = operator.get(f"{WORKFLOWS}.graph", workflow=workflow.name).json()["message"]
		assert [(node["step"], node["title"]) for node in message["nodes"]] == [
			("first", "Wait"),
			("second", "Wait"),
		]
		assert message["edges"] == [["first", "second"]]
		run = operator.post(f"{RUNS}.start", workflow=workflow.name).json()["message"]["run"]
		work_off()
		message = operator.get(f"{WORKFLOWS}.graph", run=run).json()["message"]
		assert message["status"] == "Completed"
		assert [node["status"] for node in message["nodes"]] == ["Skipped", "Skipped"]
		assert message["nodes"][0]["task"] == message["nodes"][0]["name"] == f"{run}-first"
		assert operator.get(f"{WORKFLOWS}.graph").status_code == 417
		assert client("Sales User").get(f"{WORKFLOWS}.graph", workflow=workflow.name).status_code == 403
