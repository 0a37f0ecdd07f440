frappe.ui.form.on("Dogan Lock", {
	refresh(frm) {
		frm.disable_save();
		if (!["Dogan Manager", "System Manager"].some((role) => frappe.user.has_role(role))) return;
		frm.add_custom_button(__("Release by Force"), () =>
			frappe.confirm(
				__(
					"{0} goes on working until its next renewal, and somebody else may begin meanwhile. Release the lock {1}?",
					[frappe.utils.escape_html(frm.doc.holder), frappe.utils.escape_html(frm.doc.name).bold()]
				),
				async () => {
					await frappe.call({
						method: "dogan_agents.api.locks.release",
						args: { name: frm.doc.name },
						freeze: true,
					});
					frappe.show_alert({ message: __("Released"), indicator: "green" });
					frappe.set_route("List", "Dogan Lock");
				}
			)
		);
	},
});
