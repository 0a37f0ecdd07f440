frappe.ui.form.on("Dogan Run", {
	setup(frm) {
		frm.assets = frappe.require([
			"/assets/dogan_agents/css/desk.css",
			"/assets/dogan_agents/js/layout.js",
			"/assets/dogan_agents/js/states.js",
			"/assets/dogan_agents/js/graph.js",
			"/assets/dogan_agents/js/tasks.js",
			"/assets/dogan_agents/js/run.js",
		]);
	},

	async refresh(frm) {
		frm.disable_save();
		await frm.assets;
		if (frm.run_view?.name !== frm.doc.name) {
			frm.run_view?.leave();
			frm.run_view = new dogan_agents.RunView(frm);
		}
		frm.run_view.refresh();
	},

	on_hide: (frm) => frm.run_view?.leave(),
});
