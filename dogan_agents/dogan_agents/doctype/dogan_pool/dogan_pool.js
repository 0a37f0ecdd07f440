frappe.ui.form.on("Dogan Pool", {
	refresh(frm) {
		frm.set_intro(""); // else each refresh adds another one
		frm.set_intro(frm.doc.__onload?.plain_worker || "", "blue");
	},
});
