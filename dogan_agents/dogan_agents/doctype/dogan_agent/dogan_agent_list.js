frappe.listview_settings["Dogan Agent"] = {
	add_fields: ["enabled"],
	get_indicator(doc) {
		return doc.enabled
			? [__("Enabled"), "green", "enabled,=,1"]
			: [__("Disabled"), "darkgrey", "enabled,=,0"];
	},
};
