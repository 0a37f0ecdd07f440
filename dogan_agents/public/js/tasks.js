frappe.provide("dogan_agents");

// A run's tasks as a table. Rows are replaced only when they change, so an opened error stays open.
(() => {
	dogan_agents.TaskTable = class TaskTable {
		constructor(parent) {
			const heads = [
				__("Step"),
				__("State"),
				__("Agent"),
				__("Worker"),
				__("Attempt"),
				__("Waited"),
				__("Duration"),
			];
			this.wrapper = $(`<div class="dogan-tasks">
				<table class="table">
					<thead><tr>${heads.map((head, index) => `<th scope="col"${index > 3 ? ' class="dogan-number"' : ""}>${text(head)}</th>`).join("")}</tr></thead>
					<tbody></tbody>
				</table>
			</div>`).appendTo($(parent).empty());
			this.rows = {};
		}

		show(tasks) {
			this.wrapper.toggle(Boolean(tasks.length));
			const body = this.wrapper.find("tbody");
			tasks.forEach((task) => {
				const html = row(task) + (task.error ? error_row(task) : "");
				const old = this.rows[task.name];
				if (old?.html === html) return;
				const made = $(html);
				if (old) {
					old.made.first().before(made);
					old.made.remove();
				} else {
					body.append(made);
				}
				this.rows[task.name] = { html, made };
			});
		}
	};

	function row(task) {
		const place = task.worker || task.node;
		return `<tr data-step="${text(task.step)}" class="${task.error ? "has-error" : ""}">
			<td><a href="/app/dogan-task/${encodeURIComponent(task.name)}">${text(task.step)}</a>
				<div class="text-muted small">${text(task.title)}</div></td>
			<td>${dogan_agents.states.pill(task.status)}</td>
			<td>${text(task.agent)}</td>
			<td class="dogan-worker text-muted small" title="${text(place)}">${text(place)}</td>
			<td class="dogan-number">${task.attempt || ""}</td>
			<td class="dogan-number">${dogan_agents.states.duration(task.waited)}</td>
			<td class="dogan-number">${dogan_agents.states.worked(task)}</td>
		</tr>`;
	}

	function error_row(task) {
		const [first, ...rest] = task.error.trim().split("\n");
		const kind = task.error_kind ? `<strong>${text(__(task.error_kind))}</strong> ` : "";
		return `<tr class="dogan-task-error"><td colspan="7"><details>
			<summary>${kind}${text(first)}</summary>
			<p>${text(dogan_agents.states.advice(task.error_kind))}</p>
			${rest.length ? `<pre>${text(task.error)}</pre>` : ""}
		</details></td></tr>`;
	}

	const text = (value) => frappe.utils.escape_html(value ?? "");
})();
