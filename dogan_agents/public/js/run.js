frappe.provide("dogan_agents");

// What the form of a Dogan Run shows beyond its fields; follows the run until it has ended.
(() => {
	const EVERY = 1000; // ms
	const TASK_ENDED = ["Completed", "Failed", "Skipped", "Cancelled"];
	const FIELDS = ["status", "tasks_total", "tasks_open", "started_at", "ended_at"];

	dogan_agents.RunView = class RunView {
		constructor(frm) {
			this.frm = frm;
			this.name = frm.doc.name;
			const wrapper = frm.fields_dict.graph.$wrapper.empty();
			this.summary = $('<div class="dogan-summary text-muted"></div>').appendTo(wrapper);
			this.graph = new dogan_agents.graph.Graph($("<div></div>").appendTo(wrapper), {
				label: __("Graph of the run's steps"),
				empty: __("This run has no steps."),
			});
			this.tasks = new dogan_agents.TaskTable(frm.fields_dict.tasks.$wrapper);
		}

		// After the form itself was drawn anew, which took away the buttons and the headline.
		refresh() {
			this.left = false;
			this.buttons = this.headline = undefined;
			this.follow();
		}

		leave() {
			this.left = true;
			clearTimeout(this.timer);
		}

		async follow() {
			clearTimeout(this.timer);
			const turn = (this.turn = {});
			const run = document.hidden ? null : await this.fetch();
			if (this.left || this.turn !== turn || this.frm.doc.name !== this.name) return;
			if (run) this.show(run);
			if (!run || !is_ended(run.status)) this.timer = setTimeout(() => this.follow(), EVERY);
		}

		// Without frappe.call's own "server error" dialog each second when the server is away for a while.
		async fetch() {
			try {
				const query = new URLSearchParams({ run: this.name });
				const headers = { Accept: "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token };
				const answer = await fetch(`/api/method/dogan_agents.api.workflows.graph?${query}`, { headers });
				return answer.ok ? (await answer.json()).message : null;
			} catch (error) {
				return null;
			}
		}

		show(run) {
			this.graph.show(run.nodes.map(to_node), run.edges);
			this.summary.text(summarise(run));
			this.tasks.show(run.nodes.filter((node) => node.task));
			this.show_fields(run);
			this.show_headline(run);
			this.show_buttons(run);
		}

		show_fields(run) {
			const doc = this.frm.doc;
			if (is_ended(run.status) && !is_ended(doc.status)) {
				this.frm.reload_doc();
				return;
			}
			const changed = FIELDS.filter((field) => run[field] !== undefined && run[field] !== doc[field]);
			changed.forEach((field) => (doc[field] = run[field]));
			this.frm.refresh_fields(changed);
			this.frm.page.set_indicator(__(run.status), dogan_agents.states.colours[run.status]);
		}

		show_headline(run) {
			const html = explain(run);
			if (html === this.headline) return;
			this.headline = html;
			this.frm.set_intro(html, run.status === "Failed" || parked(run) ? "red" : "yellow");
		}

		show_buttons(run) {
			const offered = [may_retry(run) && "retry", may_cancel(run) && "cancel"].filter(Boolean).join();
			if (offered === this.buttons) return;
			this.buttons = offered;
			this.frm.clear_custom_buttons();
			this.frm.add_custom_button(__("Workflow"), () =>
				frappe.set_route("Form", "Dogan Workflow", this.frm.doc.workflow)
			);
			if (may_cancel(run)) this.frm.add_custom_button(__("Cancel"), () => this.cancel());
			if (may_retry(run)) {
				this.frm
					.add_custom_button(__("Retry"), () => this.call("retry"))
					.removeClass("btn-default")
					.addClass("btn-primary");
			}
		}

		cancel() {
			frappe.confirm(
				__("Cancel this run? What its steps have committed stays; a step under way cannot commit any more."),
				() => this.call("cancel")
			);
		}

		async call(action) {
			await frappe.call({
				method: `dogan_agents.api.runs.${action}`,
				args: { run: this.name },
				freeze: true,
			});
			this.frm.reload_doc();
		}
	};

	const is_ended = (status) => dogan_agents.states.ended.includes(status);
	const parked = (run) => run.nodes.find((node) => node.status === "Parked");
	const may_cancel = (run) => dogan_agents.states.may_operate() && !is_ended(run.status);
	const may_retry = (run) =>
		dogan_agents.states.may_operate() && (["Failed", "Cancelled"].includes(run.status) || parked(run));

	function to_node(node) {
		return {
			...node,
			time: dogan_agents.states.worked(node),
			detail: node.error?.split("\n")[0],
			href: node.task && `/app/dogan-task/${encodeURIComponent(node.task)}`,
		};
	}

	function summarise(run) {
		const ended = run.nodes.filter((node) => TASK_ENDED.includes(node.status)).length;
		const words = [__("{0} of {1} steps ended", [ended, run.nodes.length])];
		if (run.started_at && run.ended_at) {
			const ms = moment(run.ended_at).diff(moment(run.started_at));
			words.push(__("took {0}", [dogan_agents.states.duration(ms / 1000)]));
		}
		return words.join(" · ");
	}

	function explain(run) {
		const failed = run.nodes.find((node) => node.status === "Failed" && node.on_failure !== "Continue");
		const task = run.status === "Completed" ? null : failed || parked(run) || retried(run);
		if (task) return dogan_agents.states.explain(task);
		if (run.status === "Failed") return frappe.utils.escape_html(run.error || "");
		if (run.status === "Queued") return __("Queued: it begins when the workflow has room for one more run.");
		return "";
	}

	const retried = (run) => run.nodes.find((node) => node.status === "Waiting" && node.error);
})();
