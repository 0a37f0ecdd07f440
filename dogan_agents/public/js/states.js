frappe.provide("dogan_agents.states");

// What a person needs to know of a state besides its name, and of a kind of error besides its message.
dogan_agents.states.colours = {
	Pending: "gray",
	Queued: "gray",
	Ready: "light-blue",
	Running: "blue",
	Waiting: "yellow",
	Blocked: "orange",
	Parked: "pink",
	Completed: "green",
	Failed: "red",
	Skipped: "gray",
	Cancelled: "gray",
	Compensated: "purple",
};

dogan_agents.states.ended = ["Completed", "Failed", "Cancelled", "Compensated"];

// How long a task worked: said once it has.
dogan_agents.states.worked = (task) =>
	["Completed", "Failed", "Parked"].includes(task.status) ? dogan_agents.states.duration(task.duration) : "";

// Who may start, retry and cancel runs (api/access.py).
dogan_agents.states.may_operate = () =>
	["Dogan Operator", "Dogan Manager", "System Manager"].some((role) => frappe.user.has_role(role));

dogan_agents.states.pill = function (status) {
	const colour = dogan_agents.states.colours[status] || "gray";
	return `<span class="indicator-pill ${colour} no-wrap">${frappe.utils.escape_html(__(status))}</span>`;
};

// Seconds as a person reads them: 4 ms, 1.25 s, 2 m 5 s.
dogan_agents.states.duration = function (seconds) {
	if (seconds === null || seconds === undefined || seconds === "") return "";
	if (seconds < 0.0005) return __("{0} ms", [0]);
	if (seconds < 1) return __("{0} ms", [seconds < 0.01 ? +(seconds * 1000).toFixed(1) : Math.round(seconds * 1000)]);
	if (seconds < 10) return __("{0} s", [seconds.toFixed(1)]);
	if (seconds < 60) return __("{0} s", [Math.round(seconds)]);
	if (seconds < 3600) return __("{0} m {1} s", [Math.floor(seconds / 60), Math.round(seconds % 60)]);
	return __("{0} h {1} m", [Math.floor(seconds / 3600), Math.round((seconds % 3600) / 60)]);
};

// What to do about an error of this kind (engine/ports.py, ErrorKind).
dogan_agents.states.advice = function (kind) {
	const advice = {
		Deadlock: __(
			"The database was busy with others' work on the same rows. Retry: it passes by itself."
		),
		"Lock wait": __("Somebody else holds the document. Retry when they are done."),
		Conflict: __("The document was changed by somebody else meanwhile. Look at it, then retry."),
		"Naming clash": __(
			"A document of that name is there already. Change the name in the step's input, or delete the other document, then retry."
		),
		"Missing field": __(
			"A mandatory field has no value. Give it one in the step's input, or a default in its DocType, then retry. A ToDo has been made for the run's user."
		),
		Validation: __("The ERP refused the document. Mend what the message names, then retry."),
		Permission: __(
			"The run's user may not do this. Grant the permission, or let the workflow run as somebody who has it, then retry."
		),
		"Closed period": __(
			"The accounting period is closed. Reopen it, or change the date, then retry."
		),
		"Not found": __(
			"A document that the step names does not exist. Make it, or correct the step's input, then retry."
		),
		Input: __(
			"The step's input does not fit its action. Correct the workflow and start a new run: this one keeps the version it began with."
		),
		Timeout: __(
			"The step took longer than its time limit. Raise the step's timeout, or find out what is slow."
		),
		Connection: __("The database or Redis was away. Retry when it is back."),
		Temporary: __("Something outside did not answer. Retry later."),
		Permanent: __(
			"The action says that trying again will not help. Correct what the message names first."
		),
		Person: __("The action wants a person to decide. Do what the message asks for, then retry."),
		Crash: __(
			"The worker died each time it performed this step. Look at its memory and logs, then retry."
		),
		Error: __(
			"The action has failed in an unforeseen way. The error shows where; retry when it is mended."
		),
	};
	return advice[kind] || advice.Error;
};

// A task's error in words: which step, what kind, what was said, what to do.
dogan_agents.states.explain = function (task) {
	const text = (value) => frappe.utils.escape_html(value || "");
	const step = `<strong>${text(task.step)}</strong>`;
	const kind = text(__(task.error_kind || "Error"));
	const heads = {
		Failed: __("Step {0} failed: {1}.", [step, kind]),
		Parked: __("Step {0} is parked and waits for you: {1}.", [step, kind]),
		Waiting: __("Step {0} is tried again after attempt {1}: {2}.", [step, task.attempt, kind]),
	};
	const head = heads[task.status] || __("Step {0} has met an error before: {1}.", [step, kind]);
	const said = text(task.error.trim().split("\n")[0]);
	return `<div class="dogan-explained">${head} <q>${said}</q><div>${text(
		dogan_agents.states.advice(task.error_kind)
	)}</div></div>`;
};
