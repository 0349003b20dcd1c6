// What a graph is drawn with. Python decided what is where; this turns it into elements, and knows of nothing else.

/**
 * @typedef {{x: number, y: number, text: string}} Line
 * @typedef {{x: number, y: number, width: number, height: number, label: Line}} Band
 * @typedef {{key: string, x: number, y: number, label: string, sublabel: string, name: string, subtitle: string,
 *   details: [string, string][], span: [number, number] | null, opened: boolean}} Card
 * @typedef {{source: string, target: string, path: string}} Wire
 * @typedef {{source: string, target: string, path: string, label: string, x: number, y: number, expected: boolean}} Arc
 * @typedef {{width: number, height: number, box: {width: number, height: number}, headline: string, lines: Line[],
 *   bands: Band[], cards: Card[], wires: Wire[], calls: Arc[], summed: boolean, sides: [string, string],
 *   sizes: {name: number, subtitle: number, left: number}}} Scene
 */

const TIP = { markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, refX: 8.5, refY: 4.5, orient: "auto" };

/** The heads of arrows: plain, lit, and of calls. `id` is of this drawing alone: ids are per document. */
function drawTips(/** @type {string} */ id) {
  const tip = (/** @type {string} */ kind) =>
    draw("marker", { id: `${id}${kind}`, ...TIP }, draw("path", { class: `fnb-tip${kind}`, d: "M0 0.5L9 4.5L0 8.5Z" }));
  return draw("defs", {}, tip(""), tip("-lit"), tip("-call"));
}

function drawBand(/** @type {Band} */ { x, y, width, height, label }) {
  const text = draw("text", { class: "fnb-wave", x: label.x, y: label.y }, label.text);
  return [draw("rect", { class: "fnb-band", x, y, width, height, rx: 10 }), text];
}

function drawLine(/** @type {Line} */ { x, y, text }) {
  return draw("text", { class: "fnb-note", x, y }, text);
}

function drawWire(/** @type {Wire} */ { path }, /** @type {string} */ tip) {
  return draw("path", { class: "fnb-wire", d: path, "marker-end": `url(#${tip})` });
}

/** Calls are dashed, behind the nodes; how many they are, and whether to remark on them, is said on top of all. */
function drawArc(/** @type {Arc} */ { source, target, path, label, x, y, expected }, /** @type {string} */ tip) {
  const line = draw("path", { class: "fnb-arc", d: path, "marker-end": `url(#${tip}-call)` });
  line.classList.toggle("fnb-remarked", !expected);
  const text = draw("text", { class: "fnb-arc-label", x, y }, label);
  for (const part of [line, text]) part.dataset.ends = `${source} ${target}`;
  return { line, text };
}

/** One node; `sublabel` is its second line, and its state is shown by `paintCard`. */
function drawCard(/** @type {Card} */ card, /** @type {Scene} */ { box: { width, height }, sizes }, /** @type {string} */ sublabel) {
  const middle = height / 2, kind = card.span ? "fnb-node fnb-group" : "fnb-node";
  const node = draw("g", { class: kind, role: "button", tabindex: -1, transform: `translate(${card.x} ${card.y})` });
  node.append(draw("title"));
  if (card.span) node.append(draw("rect", { class: "fnb-card fnb-behind", x: 4, y: 4, width, height, rx: 9 }));
  node.append(draw("rect", { class: "fnb-card", width, height, rx: 9 }));
  const name = { class: "fnb-name", x: sizes.left, y: card.sublabel ? middle - 3 : middle + 4.8, "font-size": sizes.name };
  node.append(draw("g", { class: "fnb-spot", transform: `translate(20 ${middle})` }), draw("text", name, card.label));
  if (card.sublabel) {
    const place = { class: "fnb-sub", x: sizes.left, y: middle + 14, "font-size": sizes.subtitle };
    node.append(draw("text", place, sublabel));
  }
  if (card.span) node.append(draw("path", { class: "fnb-fold", d: card.opened ? "M-4 -2L0 2L4 -2" : "M-2 -4L2 0L-2 4", transform: `translate(${width - 14} ${middle})` }));
  Object.assign(node.dataset, { key: card.key, name: card.name });
  return node;
}

/** Show a state on a node, by colour and by shape, and what is known about it to those who hover or cannot see. */
function paintCard(/** @type {SVGElement} */ node, /** @type {State} */ state, /** @type {string} */ known) {
  paint(node, state);
  node.querySelector(".fnb-spot")?.replaceChildren(...badge(state));
  node.querySelector("title")?.replaceChildren(known);
  node.setAttribute("aria-label", known);
}
