frappe.provide("dogan_agents.layout");

// Where the nodes of a directed graph go, so that few edges cross (Sugiyama, Tagawa, Toda 1981):
// levels by the longest way, columns ordered by their neighbours, heights by least squares.
(() => {
	const SWEEPS = 12;
	const ROOM = { node: 1, bend: 0.45 }; // rows that a node, or an edge passing its column, takes up

	// names: the nodes in their order of definition; edges: [[from, to]].
	// Returns { columns, rows, nodes: {name: {column, row}}, edges: [{from, to, backward, bends}] }.
	dogan_agents.layout.place = function (names, edges) {
		const drawn = clean(names, edges);
		mark_backward(names, drawn);
		const forward = drawn.filter((edge) => !edge.backward);
		const level = levels(names, forward);
		const { columns, items } = build_columns(names, forward, level);
		const ordered = untangle(columns);
		const rows = align(ordered);
		return { columns: ordered.length, rows, nodes: pick(names, items), edges: drawn.map(strip) };
	};

	function clean(names, edges) {
		const known = new Set(names);
		const seen = new Set();
		return edges
			.filter(([from, to]) => {
				const key = JSON.stringify([from, to]);
				const wanted = known.has(from) && known.has(to) && !seen.has(key);
				seen.add(key);
				return wanted;
			})
			.map(([from, to]) => ({ from, to, backward: false, bends: [] }));
	}

	// An edge that closes a cycle is drawn, but does not count for the levels.
	function mark_backward(names, edges) {
		const state = {};
		const visit = (name) => {
			state[name] = "open";
			for (const edge of edges.filter((edge) => edge.from === name)) {
				if (state[edge.to] === "open") edge.backward = true;
				else if (!state[edge.to]) visit(edge.to);
			}
			state[name] = "done";
		};
		names.filter((name) => !edges.some((edge) => edge.to === name)).forEach((name) => visit(name));
		names.filter((name) => !state[name]).forEach((name) => visit(name));
	}

	function levels(names, edges) {
		const level = {};
		const depth = (name) => {
			if (level[name] === undefined) {
				const before = edges.filter((edge) => edge.to === name).map((edge) => depth(edge.from));
				level[name] = before.length ? 1 + Math.max(...before) : 0;
			}
			return level[name];
		};
		names.forEach(depth);
		return level;
	}

	function build_columns(names, edges, level) {
		const columns = [];
		const items = {};
		const add = (column, room) => {
			const item = { column, room, row: 0, before: [], after: [] };
			(columns[column] = columns[column] || []).push(item);
			return item;
		};
		const join = (one, other) => {
			one.after.push(other);
			other.before.push(one);
		};
		for (const name of names) items[name] = add(level[name], ROOM.node);
		for (const edge of edges) {
			let last = items[edge.from];
			for (let column = level[edge.from] + 1; column < level[edge.to]; column++) {
				const bend = add(column, ROOM.bend);
				edge.bends.push(bend);
				join(last, bend);
				last = bend;
			}
			join(last, items[edge.to]);
		}
		return { columns: columns.filter(Boolean), items };
	}

	function untangle(columns) {
		let best = columns.map((column) => [...column]);
		let fewest = crossings(best);
		const current = best.map((column) => [...column]);
		for (let sweep = 0; sweep < SWEEPS && fewest; sweep++) {
			const rightward = sweep % 2 === 0;
			const order = rightward ? current.keys() : [...current.keys()].reverse();
			for (const index of order) {
				const beside = current[index + (rightward ? -1 : 1)];
				if (beside) sort_by_neighbours(current[index], beside, rightward ? "before" : "after");
			}
			const count = crossings(current);
			if (count < fewest) {
				fewest = count;
				best = current.map((column) => [...column]);
			}
		}
		return best;
	}

	function sort_by_neighbours(column, beside, side) {
		const place = new Map(beside.map((item, index) => [item, index]));
		const centre = new Map(
			column.map((item, index) => [
				item,
				item[side].length ? mean(item[side].map((other) => place.get(other))) : index,
			])
		);
		column.sort((one, other) => centre.get(one) - centre.get(other));
	}

	function crossings(columns) {
		let count = 0;
		for (let index = 1; index < columns.length; index++) {
			const place = new Map(columns[index].map((item, at) => [item, at]));
			const ends = columns[index - 1].flatMap((item, at) =>
				item.after.map((other) => [at, place.get(other)])
			);
			for (let i = 0; i < ends.length; i++) {
				for (let j = 0; j < i; j++) {
					if ((ends[i][0] - ends[j][0]) * (ends[i][1] - ends[j][1]) < 0) count++;
				}
			}
		}
		return count;
	}

	// Pull each node to the middle of its neighbours, as far as its column leaves room. Returns the rows needed.
	function align(columns) {
		for (const column of columns) settle(column, column.map((_, index) => index));
		for (let sweep = 0; sweep < SWEEPS; sweep++) {
			const sides = sweep % 2 ? ["after"] : ["before"];
			if (sweep >= SWEEPS - 2) sides.splice(0, 1, "before", "after");
			for (const column of sweep % 2 ? [...columns].reverse() : columns) {
				settle(column, column.map((item) => wanted_row(item, sides)));
			}
		}
		const items = columns.flat();
		const top = Math.min(...items.map((item) => item.row - item.room / 2), Infinity);
		items.forEach((item) => (item.row -= top));
		return Math.max(0, ...items.map((item) => item.row + item.room / 2));
	}

	function wanted_row(item, sides) {
		const beside = sides.flatMap((side) => item[side]);
		return beside.length ? mean(beside.map((other) => other.row)) : item.row;
	}

	// The nearest rows to the wanted ones in which nothing overlaps: isotonic regression.
	function settle(column, wanted) {
		const offsets = [];
		column.reduce((sum, item, index) => {
			const gap = index ? (column[index - 1].room + item.room) / 2 : 0;
			offsets.push(sum + gap);
			return sum + gap;
		}, 0);
		const blocks = [];
		wanted.forEach((row, index) => {
			blocks.push({ sum: row - offsets[index], size: 1 });
			while (blocks.length > 1 && average(blocks.at(-2)) > average(blocks.at(-1))) {
				const { sum, size } = blocks.pop();
				blocks.at(-1).sum += sum;
				blocks.at(-1).size += size;
			}
		});
		const flat = blocks.flatMap((block) => Array(block.size).fill(average(block)));
		column.forEach((item, index) => (item.row = flat[index] + offsets[index]));
	}

	const average = (block) => block.sum / block.size;
	const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
	const point = ({ column, row }) => ({ column, row });
	const pick = (names, items) => Object.fromEntries(names.map((name) => [name, point(items[name])]));
	const strip = (edge) => ({ ...edge, bends: edge.bends.map(point) });
})();
