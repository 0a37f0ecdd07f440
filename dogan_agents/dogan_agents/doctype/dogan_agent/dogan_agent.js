frappe.ui.form.on("Dogan Agent", {
	setup(frm) {
		frm.assets = frappe.require("/assets/dogan_agents/js/actions.js");
	},

	async refresh(frm) {
		await frm.assets;
		await dogan_agents.actions.all();
		dogan_agents.actions.offer(frm, "actions");
		if (frm.is_new()) return;
		frm.add_custom_button(__("Tasks"), () =>
			frappe.set_route("List", "Dogan Task", { agent: frm.doc.name })
		);
		frm.add_custom_button(__("Workflows"), () =>
			frappe.set_route("List", "Dogan Workflow", { agent: frm.doc.name })
		);
	},
});
