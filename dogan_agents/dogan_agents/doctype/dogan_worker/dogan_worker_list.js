frappe.listview_settings["Dogan Worker"] = {
	add_fields: ["status"],
	filters: [["status", "in", ["Idle", "Busy"]]],
	get_indicator(doc) {
		const colours = { Idle: "green", Busy: "blue", Dead: "red", Stopped: "darkgrey" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
