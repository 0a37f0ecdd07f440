frappe.provide("dogan_agents.graph");

// Draws a workflow's steps as SVG, and afterwards changes only what has changed.
(() => {
	const NODE = { width: 176, height: 56 };
	const GAP = { x: 40, y: 24 };
	const MARGIN = { plain: 12, backward: 30 }; // an edge that goes back needs room to turn
	const ARROW = 7;
	const SMALLEST = 0.75; // a wide graph shrinks to fit, down to this; a wider one scrolls
	const TEXT = { start: 36, end: 10, name: 24, title: 41 };
	const MARKS = {
		Completed: "M-4.2 0.4L-1.2 3.4L4.4-3",
		Failed: "M-3.2-3.2L3.2 3.2M3.2-3.2L-3.2 3.2",
		Ready: "M-2-3.8L4 0L-2 3.8Z",
		Waiting: "M0-4.6V0.4L3 2.2",
		Blocked: "M-4.4 0H4.4",
		Parked: "M-2.4-3.8V3.8M2.4-3.8V3.8",
		Skipped: "M-4-3.6L0.4 0L-4 3.6M3.6-3.8V3.8",
		Cancelled: "M-3.6 3.6L3.6-3.6",
		condition: "M0-4.4L4.4 0L0 4.4L-4.4 0Z",
	};

	// nodes: [{step, title, status?, time?, mark?, detail?, href?}], edges: [[from, to]].
	// on_click(node) makes the nodes buttons; without it they are links, as soon as they have a href.
	dogan_agents.graph.Graph = class Graph {
		constructor(parent, { label, empty, on_click } = {}) {
			this.label = label;
			this.empty = empty;
			this.on_click = on_click;
			this.parent = $(parent);
			this.wrapper = $('<div class="dogan-graph" tabindex="-1"></div>').appendTo(this.parent.empty());
		}

		show(nodes, edges) {
			const structure = JSON.stringify([nodes.map((node) => [node.step, node.title]), edges]);
			if (structure !== this.structure) {
				this.structure = structure;
				this.draw(nodes, edges);
			}
			nodes.forEach((node) => this.update(node));
			this.edges?.forEach(({ from, path }) => path.setAttribute("data-done", is_done(this.state[from])));
		}

		draw(nodes, edges) {
			this.wrapper.empty();
			this.groups = {};
			this.state = {};
			this.edges = [];
			if (!nodes.length) {
				this.wrapper.append($('<p class="dogan-graph-empty text-muted"></p>').text(this.empty || ""));
				return;
			}
			this.rtl = frappe.utils.is_rtl();
			const names = nodes.map((node) => node.step);
			const placed = dogan_agents.layout.place(names, edges);
			const backward = placed.edges.some((edge) => edge.backward);
			this.margin = backward ? MARGIN.backward : MARGIN.plain;
			this.width = 2 * this.margin + placed.columns * (NODE.width + GAP.x) - GAP.x;
			this.height = 2 * this.margin + placed.rows * (NODE.height + GAP.y) - GAP.y;
			const svg = element("svg", {
				width: this.width,
				style: `min-width: ${Math.round(this.width * SMALLEST)}px`,
				viewBox: `0 0 ${this.width} ${this.height}`,
				role: "group",
				"aria-label": this.label || __("Graph of the steps"),
			});
			placed.edges.forEach((edge) => svg.append(this.draw_edge(edge, placed.nodes)));
			nodes.forEach((node) => svg.append(this.draw_node(node, placed.nodes[node.step])));
			this.wrapper.append(svg);
		}

		left(place) {
			return this.margin + place.column * (NODE.width + GAP.x);
		}

		middle(place) {
			return this.margin + place.row * (NODE.height + GAP.y) - GAP.y / 2;
		}

		top(place) {
			return this.middle(place) - NODE.height / 2;
		}

		x(value) {
			return this.rtl ? this.width - value : value;
		}

		draw_edge(edge, nodes) {
			const points = [nodes[edge.from], ...edge.bends, nodes[edge.to]];
			const path = element("path", { class: "dogan-edge-line", d: this.route(points, edge.backward) });
			const group = element("g", { class: edge.backward ? "dogan-edge dogan-edge-backward" : "dogan-edge" });
			group.append(element("title", {}, `${edge.from} → ${edge.to}`), path, this.arrow(nodes[edge.to]));
			this.edges.push({ from: edge.from, path: group });
			return group;
		}

		// From the end of one node to the beginning of another, straight through the columns between them.
		route(points, backward) {
			const first = points[0];
			const last = points.at(-1);
			if (backward) return this.loop(first, last);
			let at = [this.left(first) + NODE.width, this.middle(first)];
			let path = `M${this.x(at[0])} ${at[1]}`;
			for (const point of points.slice(1)) {
				const to = [this.left(point) - (point === last ? ARROW : 0), this.middle(point)];
				const half = (to[0] - at[0]) / 2;
				path += `C${this.x(at[0] + half)} ${at[1]} ${this.x(to[0] - half)} ${to[1]} ${this.x(to[0])} ${to[1]}`;
				at = to;
				if (point !== last) {
					at = [this.left(point) + NODE.width, this.middle(point)];
					path += `H${this.x(at[0])}`;
				}
			}
			return path;
		}

		loop(from, to) {
			const start = [this.left(from) + NODE.width, this.middle(from)];
			const end = [this.left(to) - ARROW, this.middle(to)];
			const over = Math.min(this.top(from), this.top(to)) - this.margin / 2;
			const reach = GAP.x / 2;
			return (
				`M${this.x(start[0])} ${start[1]}` +
				`C${this.x(start[0] + reach)} ${start[1]} ${this.x(start[0] + reach)} ${over} ${this.x(start[0])} ${over}` +
				`L${this.x(end[0])} ${over}` +
				`C${this.x(end[0] - reach)} ${over} ${this.x(end[0] - reach)} ${end[1]} ${this.x(end[0])} ${end[1]}`
			);
		}

		arrow(node) {
			const tip = this.left(node);
			const y = this.middle(node);
			const back = this.x(tip - ARROW - 1);
			return element("path", {
				class: "dogan-edge-arrow",
				d: `M${this.x(tip - 1)} ${y}L${back} ${y - 4.5}V${y + 4.5}Z`,
			});
		}

		draw_node(node, place) {
			const group = element(this.on_click ? "g" : "a", {
				class: "dogan-node",
				transform: `translate(${this.x(this.left(place)) - (this.rtl ? NODE.width : 0)} ${this.top(place)})`,
				"data-step": node.step,
				...(this.on_click ? { tabindex: 0, role: "button" } : {}),
			});
			const inner = (value) => (this.rtl ? NODE.width - value : value);
			const mark = element("g", { class: "dogan-node-mark", transform: `translate(${inner(20)} ${NODE.height / 2})` });
			group.append(
				element("title"),
				element("rect", { class: "dogan-node-box", width: NODE.width, height: NODE.height, rx: 10 }),
				mark,
				element("text", { class: "dogan-node-name", x: inner(TEXT.start), y: TEXT.name }),
				element("text", { class: "dogan-node-title", x: inner(TEXT.start), y: TEXT.title }),
				element("text", { class: "dogan-node-time", x: inner(NODE.width - TEXT.end), y: TEXT.title })
			);
			mark.append(element("circle", { r: 10 }), element("path", { class: "dogan-node-sign" }));
			this.listen(group, node);
			this.groups[node.step] = group;
			return group;
		}

		listen(group, node) {
			const act = (event) => {
				if (event.ctrlKey || event.metaKey || event.shiftKey) return;
				event.preventDefault();
				event.stopPropagation();
				const href = group.getAttribute("href");
				if (this.on_click) this.on_click(node);
				else if (href) frappe.set_route(href);
			};
			group.addEventListener("click", act);
			group.addEventListener("keydown", (event) => {
				if (event.key === "Enter" || event.key === " ") act(event);
			});
		}

		update(node) {
			const group = this.groups?.[node.step];
			const shown = JSON.stringify([node.status, node.mark, node.time, node.detail, node.href]);
			if (!group || group.shown === shown) return;
			group.shown = shown;
			this.state[node.step] = node.status;
			const time = node.time || "";
			group.setAttribute("data-status", node.status || "");
			if (node.href) group.setAttribute("href", node.href);
			group.setAttribute("aria-label", describe(node));
			group.querySelector("title").textContent = describe(node);
			group.querySelector(".dogan-node-sign").setAttribute("d", MARKS[node.status || node.mark] || "");
			this.write(group, "name", node.step, 0);
			this.write(group, "title", node.title || "", time ? measure(this.font("title"), time) + 10 : 0);
			this.write(group, "time", time, 0);
		}

		write(group, part, text, taken) {
			const room = NODE.width - TEXT.start - TEXT.end - taken;
			group.querySelector(`.dogan-node-${part}`).textContent = shorten(this.font(part), text, room);
		}

		font(part) {
			const family = getComputedStyle(this.wrapper[0]).fontFamily || "sans-serif";
			return part === "name" ? `600 13px ${family}` : `12px ${family}`;
		}
	};

	const is_done = (status) => ["Completed", "Skipped"].includes(status);

	const context = document.createElement("canvas").getContext("2d");

	function measure(font, text) {
		context.font = font;
		return context.measureText(text).width;
	}

	function shorten(font, text, room) {
		if (measure(font, text) <= room) return text;
		let length = text.length;
		while (length > 1 && measure(font, text.slice(0, length) + "…") > room) length--;
		return text.slice(0, length).trimEnd() + "…";
	}

	function describe(node) {
		const words = [node.step, node.title, node.status && __(node.status), node.time, node.detail];
		return words.filter(Boolean).join(", ");
	}

	function element(name, attributes = {}, text) {
		const made = document.createElementNS("http://www.w3.org/2000/svg", name);
		Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
		if (text) made.textContent = text;
		return made;
	}
})();
