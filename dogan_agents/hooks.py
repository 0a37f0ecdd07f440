app_name = "dogan_agents"
app_title = "Dogan Agents"
app_publisher = "Dogan Agents"
app_description = "An autonomous orchestrator inside ERPNext: agents, workflows, mail, exactly once"
app_email = "hello@dogan-agents.example"
app_license = "MIT"
app_logo_url = "/assets/dogan_agents/images/dogan-agents.svg"

# With its owner: for a bare "erpnext" bench asks api.github.com who owns it.
required_apps = ["frappe/erpnext"]

add_to_apps_screen = [
	{
		"name": "dogan_agents",
		"logo": "/assets/dogan_agents/images/dogan-agents.svg",
		"title": "Dogan Agents",
		"route": "/app/dogan-agents",
		"has_permission": "dogan_agents.permissions.has_app_permission",
	}
]

before_install = "dogan_agents.install.before_install"
after_install = "dogan_agents.install.after_install"
after_migrate = "dogan_agents.install.after_migrate"
before_uninstall = "dogan_agents.install.before_uninstall"

dogan_actions = [
	"dogan_agents.actions.documents.create_document",
	"dogan_agents.actions.documents.update_document",
	"dogan_agents.actions.lead_from_mail.lead_from_mail",
	"dogan_agents.actions.send_mail.send_mail",
	"dogan_agents.actions.run_method.run_method",
	"dogan_agents.actions.set_values.set_values",
	"dogan_agents.actions.wait.wait",
]

doc_events = {
	"*": dict.fromkeys(
		("after_insert", "on_update", "on_submit", "on_cancel", "on_update_after_submit", "on_trash"),
		"dogan_agents.triggers.document.handle",
	),
	"Communication": {"after_insert": "dogan_agents.mail.trigger.handle"},
	**dict.fromkeys(
		("Dogan Workflow", "Dogan Agent"),
		dict.fromkeys(("on_update", "on_trash"), "dogan_agents.triggers.document.workflow_changed"),
	),
}

override_doctype_class = {"Email Account": "dogan_agents.mail.account.DoganEmailAccount"}

scheduler_events = {"cron": {"* * * * *": ["dogan_agents.host.frappe.sweep_tick"]}}

has_permission = {
	"Dogan Run": "dogan_agents.permissions.has_run_permission",
	"Dogan Task": "dogan_agents.permissions.has_task_permission",
}
permission_query_conditions = {
	"Dogan Run": "dogan_agents.permissions.run_query",
	"Dogan Task": "dogan_agents.permissions.task_query",
}

# History holds nobody back: a Lead, an agent or a user may be deleted whatever once ran for it.
ignore_links_on_delete = ["Dogan Run", "Dogan Task", "Dogan Workflow Version"]

default_log_clearing_doctypes = {"Dogan Run": 90, "Dogan Worker": 7, "Dogan Healing Event": 30}
