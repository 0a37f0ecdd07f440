frappe.ui.form.on("Dogan Task", {
	setup(frm) {
		frm.assets = frappe.require([
			"/assets/dogan_agents/css/desk.css",
			"/assets/dogan_agents/js/states.js",
		]);
	},

	async refresh(frm) {
		frm.disable_save();
		await frm.assets;
		frm.page.set_indicator(__(frm.doc.status), dogan_agents.states.colours[frm.doc.status]);
		frm.add_custom_button(__("Run"), () => frappe.set_route("Form", "Dogan Run", frm.doc.run));
		frm.add_custom_button(__("Workflow"), () =>
			frappe.set_route("Form", "Dogan Workflow", frm.doc.workflow)
		);
		if (frm.doc.error) {
			const colour = ["Failed", "Parked"].includes(frm.doc.status) ? "red" : "yellow";
			frm.set_intro(dogan_agents.states.explain(frm.doc), colour);
		}
	},
});
