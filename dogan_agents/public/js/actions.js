frappe.provide("dogan_agents.actions");

// The registered actions, and what the form of a step says about them.
(() => {
	let known; // by name, once fetched

	dogan_agents.actions.all = async function () {
		if (!known) {
			const { message } = await frappe.call("dogan_agents.api.workflows.actions");
			known = Object.fromEntries(message.map((action) => [action.name, action]));
		}
		return known;
	};

	dogan_agents.actions.title = (name) => known?.[name]?.title || name || "";

	dogan_agents.actions.offer = function (frm, table) {
		frm.fields_dict[table].grid.update_docfield_property("action", "options", options());
	};

	// An action's input as JSON, to be filled in: without the fields that are usually left out.
	dogan_agents.actions.skeleton = function (name) {
		const schema = known?.[name]?.input || {};
		const wanted = Object.entries(schema.properties || {}).filter(
			([field, property]) =>
				(schema.required || []).includes(field) ||
				property.default != null ||
				["object", "array"].includes(property.type)
		);
		return JSON.stringify(
			Object.fromEntries(wanted.map(([field, property]) => [field, blank(property)])),
			null,
			"\t"
		);
	};

	// Under the action of an open row: what it does. Under its input: what fields it takes.
	dogan_agents.actions.explain = function (frm, row) {
		const form = frm.fields_dict.steps.grid.grid_rows_by_docname[row.name]?.grid_form;
		if (!form) return;
		form.fields_dict.action.set_data?.(options()); // the row may have been opened before they were known
		const action = known?.[row.action];
		show(form.fields_dict.action, action ? summary(action) : "");
		show(form.fields_dict.input, action ? field_table(action.input) : "", true);
	};

	const options = () =>
		Object.values(known).map((action) => ({
			value: action.name,
			label: text(action.title),
			description: text(first_sentence(action.description)),
		}));

	function show(field, html, above) {
		field.$wrapper.find(".dogan-help").remove();
		if (html) field.$wrapper[above ? "prepend" : "append"]($('<div class="dogan-help"></div>').html(html));
	}

	function summary(action) {
		const outside = action.external
			? `<div>${__("Has an effect outside the database: it is performed in a transaction of its own.")}</div>`
			: "";
		return `<div>${text(action.description)}</div>${outside}`;
	}

	function field_table(schema) {
		const rows = Object.entries(schema?.properties || {}).map(([name, property]) => {
			const required = (schema.required || []).includes(name);
			return `<tr>
				<td><code>${text(name)}</code>${required ? '<span class="text-danger"> *</span>' : ""}</td>
				<td class="text-muted">${text(type_of(property))}</td>
				<td>${text(property.description || "")}${text(default_of(property))}</td>
			</tr>`;
		});
		if (!rows.length) return "";
		const heads = [__("Field"), __("Type"), __("Meaning")].map((head) => `<th>${text(head)}</th>`);
		return `<table class="dogan-fields"><thead><tr>${heads.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
	}

	function default_of(property) {
		const value = property.default;
		if (value === undefined || value === null || value === "") return "";
		return ` (${__("default: {0}", [JSON.stringify(value)])})`;
	}

	function type_of(property) {
		if (property.enum) return property.enum.join(" | ");
		if (property.$ref) return property.$ref.split("/").pop();
		if (property.anyOf || property.allOf) {
			const types = (property.anyOf || property.allOf).map(type_of);
			return types.filter((type) => type !== "null").join(" | ");
		}
		if (property.type === "array" && property.items) return `${type_of(property.items)}[]`;
		return property.format || property.type || __("any");
	}

	function blank(property) {
		if (property.default !== undefined && property.default !== null) return property.default;
		const types = [property, ...(property.anyOf || [])].map((one) => one.type);
		if (types.includes("object")) return {};
		if (types.includes("array")) return [];
		if (types.includes("boolean")) return false;
		if (types.includes("integer") || types.includes("number")) return 0;
		return "";
	}

	const first_sentence = (value) => (value || "").split(/(?<=\.)\s/)[0];
	const text = (value) => frappe.utils.escape_html(value);
})();
