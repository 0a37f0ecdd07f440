frappe.listview_settings["Dogan Node"] = {
	add_fields: ["status", "last_seen"],
	get_indicator(doc) {
		const colours = {
			Healthy: "green",
			Late: "orange",
			Dead: "red",
			Draining: "yellow",
			Cordoned: "blue",
			Stopped: "darkgrey",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
