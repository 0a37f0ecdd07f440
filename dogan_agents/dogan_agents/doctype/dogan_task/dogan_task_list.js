frappe.listview_settings["Dogan Task"] = {
	add_fields: ["status"],
	get_indicator(doc) {
		const colours = {
			Pending: "gray",
			Ready: "light-blue",
			Running: "blue",
			Waiting: "yellow",
			Blocked: "orange",
			Parked: "pink",
			Completed: "green",
			Failed: "red",
			Skipped: "gray",
			Cancelled: "gray",
		};
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},
};
