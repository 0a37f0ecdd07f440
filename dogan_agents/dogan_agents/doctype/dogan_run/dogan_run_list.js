frappe.listview_settings["Dogan Run"] = {
	add_fields: ["status"],
	get_indicator(doc) {
		const colours = {
			Queued: "gray",
			Running: "blue",
			Waiting: "yellow",
			Completed: "green",
			Failed: "red",
			Cancelled: "gray",
			Compensated: "purple",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
