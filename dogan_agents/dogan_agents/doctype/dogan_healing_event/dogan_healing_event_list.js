frappe.listview_settings["Dogan Healing Event"] = {
	add_fields: ["helped", "last_seen"],
	hide_name_column: true,
	get_indicator(doc) {
		const states = {
			Yes: [__("Helped"), "green"],
			No: [__("Did Not Help"), "red"],
			Unknown: [__("Not Known Yet"), "orange"],
		};
		return [...states[doc.helped], `helped,=,${doc.helped}`];
	},
};
