// A graph that is alive. Python decided what is where (_scene) and what state each node has (_states, by key); this
// draws it and listens. Python puts hosted.js in front.

/**
 * @typedef {{x: number, y: number, text: string, heading?: boolean}} Line
 * @typedef {{x: number, y: number, width: number, height: number, label: Line}} Band
 * @typedef {{key: string, x: number, y: number, label: string, sublabel: string, name: string, subtitle: string,
 *   details: [string, string][]}} Card
 * @typedef {{source: string, target: string, path: string}} Wire
 * @typedef {{width: number, height: number, box: {width: number, height: number}, headline: string, lines: Line[],
 *   bands: Band[], cards: Card[], wires: Wire[], counts: Object<string, number> | null,
 *   sizes: {name: number, subtitle: number, left: number}}} Scene
 */

const ZOOM_STEP = 1.25, SMALLEST = 0.25, LARGEST = 3;
const LEGIBLE = 0.65; // below this scale text cannot be read: a picture that large scrolls instead
let markers = 0; // ids of markers are per document

/** One drawing of a model. There can be several: an output can be shown twice. */
class GraphView {
  /** @param {Model} model @param {HTMLElement} parent @param {any} memory */
  constructor(model, parent, memory) {
    this.model = model;
    this.memory = memory;
    memory.scale ??= 0; // 0: fit to the room there is
    this.tip = `fnb-tip-${++markers}`;
    this.root = html("div", { class: "fnb-live fnb-pictured", role: "group" });
    // Lumino would take arrows and Enter for the notebook's own before they get here.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.view = html("div", { class: "fnb-view" });
    this.legend = html("div", { class: "fnb-legend", role: "status" });
    this.details = html("section", { class: "fnb-details", hidden: "" });
    this.root.append(...this.parts());
    this.listen();
    parent.append(this.root);
    this.redraw();
    this.view.scrollTo(...(memory.scrolled ?? this.beginning()));
    const focused = this.nodes.get(memory.focused);
    if (focused && document.activeElement === document.body) this.rove(memory.focused, true);
    this.resized = new ResizeObserver(() => this.resize());
    this.resized.observe(parent);
  }

  /** What there is to see, from top to bottom. */
  parts() { return [html("div", { class: "fnb-stage" }, this.view, this.tools()), this.legend, this.details]; }

  remove() {
    this.resized.disconnect();
    this.root.remove();
  }

  /** @returns {Scene} */
  get scene() { return this.model.get("_scene"); }
  /** @returns {string} */
  get selected() { return this.model.get("_selected"); }
  /** @returns {State} */
  state(key) { return this.model.get("_vocabulary")[this.model.get("_states")[key]]; }

  // What is drawn

  redraw() {
    const { scene } = this;
    const active = document.activeElement;
    const selected = this.details.contains(active) ? this.cards?.get(this.selected)?.name : undefined;
    const focused = this.view.contains(active) ? active.dataset.name : selected;
    /** @type {Map<string, Card>} */
    this.cards = new Map(scene.cards.map((card) => [card.key, card]));
    this.nodes = new Map(scene.cards.map((card) => [card.key, this.node(card)]));
    this.wires = scene.wires.map((wire) => this.wire(wire));
    this.svg = draw("svg", { class: "fnb-graph", viewBox: `0 0 ${scene.width} ${scene.height}`, role: "group" });
    this.svg.setAttribute("aria-label", `${scene.headline}. Arrow keys move, Enter shows details.`);
    this.svg.append(this.marker(this.tip, "fnb-tip"), this.marker(`${this.tip}-lit`, "fnb-tip-lit"));
    this.svg.append(...scene.bands.flatMap((band) => this.band(band)), ...scene.lines.map((line) => this.line(line)));
    this.svg.append(...this.wires, ...this.nodes.values());
    this.root.setAttribute("aria-label", scene.headline);
    this.view.replaceChildren(this.svg);
    this.refresh(this.nodes.keys());
    this.select();
    this.resize();
    const again = scene.cards.find((card) => card.name === focused) ?? scene.cards[0];
    if (again) this.rove(again.key, focused !== undefined);
  }

  marker(id, style) {
    const shape = draw("path", { class: style, d: "M0 0.5L9 4.5L0 8.5Z" });
    const size = { markerUnits: "userSpaceOnUse", markerWidth: 9, markerHeight: 9, refX: 8.5, refY: 4.5 };
    return draw("defs", {}, draw("marker", { id, orient: "auto", ...size }, shape));
  }

  band(/** @type {Band} */ { x, y, width, height, label }) {
    const text = draw("text", { class: "fnb-wave", x: label.x, y: label.y }, label.text);
    return [draw("rect", { class: "fnb-band", x, y, width, height, rx: 10 }), text];
  }

  line(/** @type {Line} */ { x, y, text, heading }) {
    return draw("text", { class: heading ? "fnb-title" : "fnb-note", x, y }, text);
  }

  wire(/** @type {Wire} */ { source, target, path }) {
    const wire = draw("path", { class: "fnb-wire", d: path, "marker-end": `url(#${this.tip})` });
    wire.dataset.ends = `${source} ${target}`;
    return wire;
  }

  node(/** @type {Card} */ card) {
    const { box: { width, height }, sizes } = this.scene, middle = height / 2;
    const name = { class: "fnb-name", x: sizes.left, y: card.sublabel ? middle - 3 : middle + 4.8, "font-size": sizes.name };
    const node = draw("g", { class: "fnb-node", role: "button", tabindex: -1, transform: `translate(${card.x} ${card.y})` });
    node.append(draw("title"), draw("rect", { class: "fnb-card", width, height, rx: 9 }));
    node.append(draw("g", { class: "fnb-spot", transform: `translate(20 ${middle})` }), draw("text", name, card.label));
    if (card.sublabel) {
      const place = { class: "fnb-sub", x: sizes.left, y: middle + 14, "font-size": sizes.subtitle };
      node.append(draw("text", place, this.sublabel(card)));
    }
    Object.assign(node.dataset, { key: card.key, name: card.name });
    return node;
  }

  /** The second line of a card. */
  sublabel(/** @type {Card} */ card) { return card.sublabel; }

  /** Show the present states of these nodes, and what follows from them. */
  refresh(/** @type {Iterable<string>} */ keys) {
    for (const key of keys) {
      const node = this.nodes.get(key), card = this.cards.get(key), state = this.state(key);
      if (!node || !state) continue; // on the way from one picture to the next
      const known = [card.name, state.label, card.subtitle].filter(Boolean).join(", ");
      paint(node, state);
      node.dataset.state = this.model.get("_states")[key];
      node.querySelector(".fnb-spot").replaceChildren(...badge(state));
      node.querySelector("title").textContent = known;
      node.setAttribute("aria-label", known);
      if (key === this.selected) this.details.querySelector(".fnb-now")?.replaceChildren(...this.now(key));
    }
    this.count();
  }

  count() {
    const states = Object.values(this.model.get("_states")), vocabulary = this.model.get("_vocabulary");
    const counted = (/** @type {string} */ name) => states.filter((state) => state === name).length;
    const counts = this.scene.counts ?? Object.fromEntries(Object.keys(vocabulary).map((name) => [name, counted(name)]));
    const shown = Object.keys(vocabulary).filter((name) => counts[name]);
    const keys = shown.map((name) => {
      const text = `${counts[name].toLocaleString("en")} ${vocabulary[name].label}`;
      return html("span", { class: "fnb-key" }, badgeImage(vocabulary[name]), text);
    });
    const merelyDefined = shown.every((name) => name === "defined"); // nothing to explain
    const told = merelyDefined ? "" : keys.map((key) => key.textContent).join();
    if (this.legend.dataset.told === told) return; // or a screen reader says it again
    this.legend.dataset.told = told;
    this.legend.replaceChildren(...(merelyDefined ? [] : keys));
  }

  // What is selected

  /** Open or close the details, and light up what is connected, as the model says. */
  select() {
    for (const [key, node] of this.nodes) node.setAttribute("aria-expanded", String(key === this.selected));
    for (const wire of this.wires) {
      const lit = wire.dataset.ends.split(" ").includes(this.selected);
      wire.classList.toggle("fnb-lit", lit);
      wire.setAttribute("marker-end", `url(#${this.tip}${lit ? "-lit" : ""})`);
    }
    this.details.hidden = !this.cards.has(this.selected);
    if (!this.details.hidden) this.describe();
  }

  choose(key) {
    choose(this.model, "_selected", key);
  }

  describe() {
    const card = this.cards.get(this.selected), { wires } = this.scene;
    const close = html("button", { type: "button", "aria-label": "Close details" }, "×");
    close.addEventListener("click", () => { this.choose(""); this.rove(card.key, true); });
    const before = wires.filter((wire) => wire.target === card.key).map((wire) => wire.source);
    const after = wires.filter((wire) => wire.source === card.key).map((wire) => wire.target);
    const list = html("dl");
    for (const [term, text] of card.details) list.append(html("dt", {}, term), html("dd", {}, text));
    list.append(html("dt", {}, "depends on"), this.links(before), html("dt", {}, "needed by"), this.links(after));
    this.details.setAttribute("aria-label", `Details of ${card.name}`);
    const now = html("span", { class: "fnb-now" }, ...this.now(card.key));
    const head = html("div", { class: "fnb-head" }, html("strong", {}, card.name), now, close);
    this.details.replaceChildren(head, ...this.news(card), list);
  }

  /** What there is to tell of a card beside what it always was. */
  news(/** @type {Card} */ _card) { return []; }

  /** The state of a node as a mark and a word. */
  now(key) {
    const state = this.state(key), label = html("span", { class: "fnb-state" }, state.label);
    paint(label, state);
    return [badgeImage(state), label];
  }

  links(/** @type {string[]} */ keys) {
    const buttons = keys.map((key) => {
      const button = html("button", { type: "button" }, this.cards.get(key).name);
      button.addEventListener("click", () => { this.choose(key); this.rove(key, true); });
      return button;
    });
    return html("dd", { class: "fnb-links" }, ...(buttons.length ? buttons : ["nothing"]));
  }

  // How large it is

  tools() {
    const button = (label, text, act) => {
      const made = html("button", { type: "button", "aria-label": label, title: label }, text);
      made.addEventListener("click", act);
      return made;
    };
    const smaller = button("Zoom out", "−", () => this.zoom(1 / ZOOM_STEP));
    const larger = button("Zoom in", "+", () => this.zoom(ZOOM_STEP));
    return html("div", { class: "fnb-tools" }, smaller, larger, button("Fit to width", "fit", () => this.zoom(0)));
  }

  /** Scale by a factor, around a point of the view or its middle; 0 fits the picture to the width there is. */
  zoom(factor, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2) {
    const before = this.applied, { view } = this;
    this.memory.scale = factor && Math.min(LARGEST, Math.max(SMALLEST, before * factor));
    this.resize();
    view.scrollLeft = (view.scrollLeft + x) * (this.applied / before) - x;
    view.scrollTop = (view.scrollTop + y) * (this.applied / before) - y;
  }

  /** Where to look first: the corner of a tall picture is far above the first of its nodes. */
  beginning() {
    const [first] = this.scene.cards, { applied = 1, view } = this;
    const middle = first ? (first.y + this.scene.box.height / 2) * applied : 0;
    return [0, Math.max(0, middle - view.clientHeight / 2)];
  }

  resize() {
    const room = this.root.parentElement.clientWidth - 2; // less the border
    if (room <= 0) return; // not shown yet; the observer calls again
    this.applied = this.memory.scale || Math.min(1, Math.max(LEGIBLE, room / this.scene.width));
    this.svg.style.width = `${this.scene.width * this.applied}px`;
  }

  // What people do

  listen() {
    this.view.addEventListener("click", (event) => {
      const key = event.target.closest(".fnb-node")?.dataset.key ?? "";
      this.choose(key === this.selected ? "" : key);
      if (key) this.rove(key, true);
    });
    this.view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls, as everywhere
      event.preventDefault();
      const frame = this.view.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.002), event.clientX - frame.left, event.clientY - frame.top);
    }, { passive: false });
    this.view.addEventListener("scroll", () => { this.memory.scrolled = [this.view.scrollLeft, this.view.scrollTop]; });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("focusin", (event) => { this.memory.focused = event.target.closest(".fnb-node")?.dataset.key; });
    this.root.addEventListener("focusout", () => setTimeout(() => {
      // An output that is updated takes the focus with it; then it is to come back.
      if (this.root.isConnected && !this.root.contains(document.activeElement)) this.memory.focused = undefined;
    }));
    this.drag();
  }

  key(/** @type {KeyboardEvent} */ event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.target.closest(".fnb-node")?.dataset.key;
    const toggle = () => this.choose(key === this.selected ? "" : key);
    const move = (dx, dy) => () => this.rove(this.nearest(key, dx, dy), true);
    const end = (index) => () => this.rove(this.scene.cards.at(index).key, true);
    const close = () => { const open = this.selected; this.choose(""); if (open) this.rove(open, true); };
    const anywhere = { Escape: close, "+": () => this.zoom(ZOOM_STEP), "-": () => this.zoom(1 / ZOOM_STEP), 0: () => this.zoom(0) };
    const onNode = {
      Enter: toggle, " ": toggle, Home: end(0), End: end(-1),
      ArrowRight: move(1, 0), ArrowLeft: move(-1, 0), ArrowDown: move(0, 1), ArrowUp: move(0, -1),
    };
    const act = anywhere[event.key] ?? (key && onNode[event.key]);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** The closest node in a direction; off the axis counts double. */
  nearest(key, dx, dy) {
    const from = this.cards.get(key);
    let best = key, least = Infinity;
    for (const card of this.scene.cards) {
      const ahead = (card.x - from.x) * dx + (card.y - from.y) * dy;
      const aside = Math.abs((card.x - from.x) * dy) + Math.abs((card.y - from.y) * dx);
      if (ahead > 0 && ahead + 2 * aside < least) [best, least] = [card.key, ahead + 2 * aside];
    }
    return best;
  }

  /** Make this the one node that Tab reaches. */
  rove(key, focus = false) {
    for (const [other, node] of this.nodes) node.setAttribute("tabindex", other === key ? "0" : "-1");
    if (focus) this.nodes.get(key)?.focus();
  }

  drag() {
    const { view } = this;
    let start = null;
    view.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType === "mouse") start = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
    });
    view.addEventListener("pointermove", (event) => {
      if (!start || !event.buttons) { start = null; return; }
      const dx = event.clientX - start.x, dy = event.clientY - start.y;
      if (!view.classList.contains("fnb-dragged") && Math.hypot(dx, dy) < 4) return;
      view.classList.add("fnb-dragged");
      view.setPointerCapture(event.pointerId);
      view.scrollTo(start.left - dx, start.top - dy);
    });
    const stop = () => { start = null; setTimeout(() => view.classList.remove("fnb-dragged")); };
    for (const type of ["pointerup", "pointercancel"]) view.addEventListener(type, stop);
    // The click that ends a drag selects nothing.
    view.addEventListener("click", (event) => { if (view.classList.contains("fnb-dragged")) event.stopImmediatePropagation(); }, { capture: true });
  }
}

/** What the graph listens to, whatever else its view does. */
const GRAPH_HEARD = {
  "change:_scene": (views) => { for (const view of views) view.redraw(); },
  "change:_states": (views) => { for (const view of views) view.refresh(view.nodes.keys()); },
  "change:_selected": (views) => { for (const view of views) view.select(); },
};

/** Bring states up to date in place, as in Python: no event, and what is saved is right. */
function mergeStates(/** @type {Model} */ model, states) { Object.assign(model.get("_states"), states); }
