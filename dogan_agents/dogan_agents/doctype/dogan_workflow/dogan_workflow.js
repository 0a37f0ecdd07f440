frappe.ui.form.on("Dogan Workflow", {
	setup(frm) {
		frm.ready = frappe
			.require([
				"/assets/dogan_agents/css/desk.css",
				"/assets/dogan_agents/js/layout.js",
				"/assets/dogan_agents/js/states.js",
				"/assets/dogan_agents/js/graph.js",
				"/assets/dogan_agents/js/actions.js",
				"/assets/dogan_agents/js/start.js",
			])
			.then(() => dogan_agents.actions.all());
		frm.redraw = frappe.utils.debounce(() => frm.trigger("draw"), 150);
	},

	async refresh(frm) {
		await frm.ready;
		dogan_agents.actions.offer(frm, "steps");
		frm.trigger("draw");
		frm.trigger("add_buttons");
	},

	async draw(frm) {
		await frm.ready;
		const field = frm.fields_dict.graph;
		if (!frm.graph || !field.$wrapper.find(frm.graph.wrapper).length) {
			frm.graph = new dogan_agents.graph.Graph(field.$wrapper, {
				label: __("Graph of the steps"),
				empty: __("Add steps below: their graph is drawn here."),
				on_click: (node) => open_step(frm, node.step),
			});
		}
		const steps = frm.doc.steps.filter((row) => row.step);
		frm.graph.show(
			steps.map((row) => ({
				step: row.step,
				title: dogan_agents.actions.title(row.action),
				mark: row.condition && "condition",
				detail: row.condition && __("if {0}", [row.condition]),
			})),
			steps.flatMap((row) => predecessors(row).map((before) => [before, row.step]))
		);
	},

	add_buttons(frm) {
		if (frm.is_new()) return;
		frm.add_custom_button(__("Runs"), () =>
			frappe.set_route("List", "Dogan Run", { workflow: frm.doc.name })
		);
		if (frm.doc.enabled && dogan_agents.states.may_operate()) {
			frm.add_custom_button(__("Start"), () => start(frm))
				.removeClass("btn-default")
				.addClass("btn-primary");
		}
	},
});

frappe.ui.form.on("Dogan Workflow Step", {
	step: (frm) => frm.redraw(),
	depends_on: (frm) => frm.redraw(),
	condition: (frm) => frm.redraw(),
	steps_add: (frm) => frm.redraw(),
	steps_remove: (frm) => frm.redraw(),
	steps_move: (frm) => frm.redraw(),

	async form_render(frm, cdt, cdn) {
		await frm.ready;
		dogan_agents.actions.explain(frm, locals[cdt][cdn]);
	},

	async action(frm, cdt, cdn) {
		await frm.ready;
		const row = locals[cdt][cdn];
		if (row.action && !(row.input || "").trim()) {
			frappe.model.set_value(cdt, cdn, "input", dogan_agents.actions.skeleton(row.action));
		}
		dogan_agents.actions.explain(frm, row);
		frm.redraw();
	},
});

function predecessors(row) {
	return (row.depends_on || "")
		.split(/[,\n]/)
		.map((name) => name.trim())
		.filter(Boolean);
}

function open_step(frm, step) {
	const row = frm.doc.steps.find((row) => row.step === step);
	const grid_row = row && frm.fields_dict.steps.grid.grid_rows_by_docname[row.name];
	if (!grid_row) return;
	frm.scroll_to_field("steps");
	grid_row.toggle_view(true);
}

function start(frm) {
	if (frm.is_dirty()) {
		frappe.show_alert({ message: __("Save the workflow first."), indicator: "orange" });
		return;
	}
	dogan_agents.start(frm.doc);
}
