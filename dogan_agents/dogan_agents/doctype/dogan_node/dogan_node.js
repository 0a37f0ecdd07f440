// A node as it is at this moment, and what may be done with it.
(() => {
	const POLL = 2000;

	frappe.ui.form.on("Dogan Node", {
		refresh(frm) {
			look(frm);
		},

		on_hide: (frm) => clearTimeout(frm.looking),
	});

	// What the node does at this moment, again every few seconds while the form is open.
	async function look(frm) {
		clearTimeout(frm.looking);
		const name = frm.doc.name;
		const { message: seen } = await frappe.call({
			method: "dogan_agents.api.nodes.overview",
			args: { node: name },
			error_handlers: {},
		});
		if (frm.doc.name !== name || frappe.get_route()[2] !== name) return;
		show_status(frm, seen);
		show_work(frm, seen);
		offer(frm, seen);
		frm.looking = setTimeout(() => look(frm).catch(() => {}), POLL);
	}

	function show_status(frm, seen) {
		const colours = {
			Healthy: "green",
			Late: "orange",
			Dead: "red",
			Draining: "yellow",
			Cordoned: "blue",
			Stopped: "darkgrey",
		};
		frm.page.set_indicator(__(seen.status), colours[seen.status]);
		frm.dashboard.clear_headline();
		if (seen.draining) {
			const left = __("{0} tasks still run here, on {1} workers.", [seen.running, seen.busy]);
			frm.dashboard.set_headline(`${__("Draining.")} ${left}`, "yellow");
		} else if (seen.cordoned && seen.running) {
			frm.dashboard.set_headline(__("{0} tasks still run here.", [seen.running]), "blue");
		} else if (seen.cordoned) {
			frm.dashboard.set_headline(__("Cordoned and empty: it can be switched off."), "blue");
		} else if (seen.status === "Dead") {
			frm.dashboard.set_headline(
				__("Its node process is silent. Its work has been moved on; nothing begins here until it is back."),
				"red"
			);
		}
	}

	function show_work(frm, seen) {
		const tasks = seen.tasks.map((task) => [
			link("Dogan Run", task.run, task.workflow),
			link("Dogan Task", task.name, task.step),
			frappe.datetime.comment_when(task.started_at),
		]);
		const workers = seen.workers.map((worker) => [
			link("Dogan Worker", worker.name, worker.name),
			text(worker.pool),
			text(__(worker.status)),
			text(worker.tasks_done),
		]);
		frm.fields_dict.view.$wrapper.html(
			table(__("Tasks"), [__("Run"), __("Step"), __("Begun")], tasks, __("Nothing runs here.")) +
				table(
					__("Workers at Work"),
					[__("Worker"), __("Pool"), __("Status"), __("Tasks Done")],
					workers,
					__("No worker is at a pool; those that wait for a job are only counted.")
				)
		);
	}

	function offer(frm, seen) {
		const state = [seen.status, seen.cordoned, seen.draining].join();
		if (frm.offered === frm.doc.name + state && frm.page.inner_toolbar.find("button").length) return;
		frm.offered = frm.doc.name + state;
		frm.clear_custom_buttons();
		if (!frappe.user.has_role(["Dogan Operator", "Dogan Manager", "System Manager"])) return;
		const gone = ["Dead", "Stopped"].includes(seen.status);
		if (!seen.cordoned) frm.add_custom_button(__("Cordon"), () => ask(frm, "cordon"));
		if (!seen.draining && !gone) frm.add_custom_button(__("Drain"), () => ask(frm, "drain"));
		if (seen.cordoned || seen.draining) frm.add_custom_button(__("Uncordon"), () => ask(frm, "uncordon"));
		if (gone) frm.add_custom_button(__("Forget"), () => confirm_forget(frm));
	}

	async function ask(frm, action) {
		await frappe.call(`dogan_agents.api.nodes.${action}`, { node: frm.doc.name });
		await frm.reload_doc();
	}

	function confirm_forget(frm) {
		frappe.confirm(__("Delete what is known of {0}?", [text(frm.doc.name)]), async () => {
			await frappe.call("dogan_agents.api.nodes.forget", { node: frm.doc.name });
			frappe.set_route("List", "Dogan Node");
		});
	}

	function table(title, heads, rows, empty) {
		const head = heads.map((name) => `<th>${name}</th>`).join("");
		const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("");
		const content = rows.length
			? `<table class="table table-sm"><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
			: `<p class="text-muted">${empty}</p>`;
		return `<h6>${title}</h6>${content}`;
	}

	const text = (value) => frappe.utils.escape_html(String(value ?? ""));
	const link = (doctype, name, label) =>
		`<a href="${frappe.utils.get_form_link(doctype, name)}">${text(label)}</a>`;
})();
