frappe.provide("dogan_agents");

// The dialog that starts a run of a workflow and opens it.
(() => {
	dogan_agents.start = function (workflow) {
		const dialog = new frappe.ui.Dialog({
			title: __("Start {0}", [workflow.name]),
			fields: [
				{
					fieldname: "input",
					fieldtype: "Code",
					options: "JSON",
					label: __("Input"),
					max_height: "12rem",
					description: __("A JSON object. The steps read it as {0}.", ["<code>input</code>"]),
					default: skeleton(workflow),
				},
				{ fieldtype: "Section Break", label: __("More"), collapsible: 1 },
				{
					fieldname: "reference_doctype",
					fieldtype: "Link",
					options: "DocType",
					label: __("Reference Type"),
				},
				{
					fieldname: "reference_name",
					fieldtype: "Dynamic Link",
					options: "reference_doctype",
					label: __("Reference"),
				},
				{ fieldtype: "Column Break" },
				{
					fieldname: "idempotency_key",
					fieldtype: "Data",
					label: __("Idempotency Key"),
					description: __("Starting the workflow again with this key opens the same run."),
				},
			],
			primary_action_label: __("Start"),
			primary_action: (values) => start(dialog, workflow, values),
		});
		dialog.show();
	};

	async function start(dialog, workflow, values) {
		const input = parse(values.input);
		if (input === undefined) return;
		dialog.disable_primary_action();
		try {
			const { message } = await frappe.call({
				method: "dogan_agents.api.runs.start",
				args: { ...values, workflow: workflow.name, input },
			});
			dialog.hide();
			frappe.set_route("Form", "Dogan Run", message.run);
		} finally {
			dialog.enable_primary_action();
		}
	}

	function parse(text) {
		try {
			const value = JSON.parse((text || "").trim() || "{}");
			if (value && typeof value === "object" && !Array.isArray(value)) return value;
			refuse(__("Not a JSON Object"), __('Write {"name": value, …}.'));
		} catch (error) {
			refuse(__("Not Valid JSON"), frappe.utils.escape_html(error.message));
		}
	}

	const refuse = (title, message) => frappe.msgprint({ title, message, indicator: "red" });

	// What the steps read of the run's input, for somebody to fill in.
	function skeleton(workflow) {
		const texts = workflow.steps.flatMap((row) => [row.input, row.condition, row.concurrency_key]);
		const read = [...texts, workflow.fairness_key].join("\n").matchAll(/(?<![\w.])input\.([a-z_]\w*)/gi);
		const names = new Set([...read].map((match) => match[1]));
		return JSON.stringify(Object.fromEntries([...names].map((name) => [name, ""])), null, "\t");
	}
})();
