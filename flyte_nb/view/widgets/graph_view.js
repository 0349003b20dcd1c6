// A graph that is alive. Python decided what is where (_scene) and what state each node has (_states, by key); this
// draws it and listens. Python puts hosted.js and the other parts of the graph in front.

let drawings = 0; // ids of markers are per document

/** One drawing of a model. There can be several: an output can be shown twice. */
class GraphView {
  /** @param {Model} model @param {HTMLElement} parent @param {any} memory */
  constructor(model, parent, memory) {
    this.model = model;
    this.memory = memory;
    this.tip = `fnb-tip-${++drawings}`;
    this.light = new Light(this.tip);
    this.hovered = "";
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    /** @type {Map<string, SVGElement>} */
    this.nodes = new Map();
    this.waves = new Waves(model, []);
    this.ways = new Ways([]);
    this.svg = draw("svg");
    /** @type {string | undefined} */
    this.wanted = undefined;
    this.root = html("div", { class: "fnb-live fnb-pictured", role: "group" });
    this.view = html("div", { class: "fnb-view" });
    this.legend = html("div", { class: "fnb-legend", role: "status" });
    this.details = html("div", { class: "fnb-details", role: "group", hidden: "" }); // no landmark: a page can have many
    this.camera = new Camera(this.view, () => (this.root.parentElement?.clientWidth ?? 0) - 2, memory); // less the border
    this.search = new Search(() => this.waves.findable(this.scene.cards, (card) => this.remark(card)), (key) => this.goTo(key), () => this.mark(), memory);
    this.requests = new Requests(model, this.root);
    this.root.append(...this.parts());
    this.hands = new Hands(this);
    parent.append(this.root);
    this.redraw();
    this.camera.begin(this.scene.cards[0], this.scene.box.height);
    this.resized = new ResizeObserver(() => this.camera.resize());
    this.resized.observe(parent);
  }

  /** What there is to see, from top to bottom. */
  parts() {
    const tools = html("div", { class: "fnb-tools" }, this.search.root, ...this.requests.parts, ...this.camera.tools());
    return [html("div", { class: "fnb-stage" }, tools, this.view), this.legend, this.details];
  }

  placed(/** @type {HTMLElement} */ parent) {
    this.resized.disconnect();
    this.resized.observe(parent);
  }

  remove() {
    this.resized.disconnect();
    this.hands.rest();
    this.requests.answered();
    this.root.remove();
  }

  /** @returns {Scene} */
  get scene() { return this.model.get("_scene"); }
  /** @returns {string} */
  get selected() { return this.model.get("_selected"); }

  /** @returns {State} */
  state(/** @type {string} */ key) { return this.model.get("_vocabulary")[this.stateName(key)]; }

  /** The state of an environment, or the one of a wave that most needs attention. */
  stateName(/** @type {string} */ key) {
    const card = this.cards.get(key);
    return card?.span ? this.waves.stateName(card) : this.model.get("_states")[key];
  }

  // What is drawn

  redraw() {
    const { scene } = this;
    const active = document.activeElement, onNode = this.view.contains(active), onDetails = this.details.contains(active);
    const focused = onNode ? keyAt(active) : this.selected;
    this.cards = new Map(scene.cards.map((card) => [card.key, card]));
    this.waves = new Waves(this.model, scene.cards);
    this.nodes = new Map(scene.cards.map((card) => [card.key, drawCard(card, scene, this.sublabel(card))]));
    this.ways = new Ways(scene.wires.map((wire) => ({ ...wire, element: this.wire(wire) })));
    this.svg = draw("svg", { class: "fnb-graph", viewBox: `0 0 ${scene.width} ${scene.height}`, role: "group" });
    this.svg.classList.toggle("fnb-summed", scene.summed);
    this.search.root.hidden = (this.waves.index.length || scene.cards.length) <= FEW;
    this.root.classList.toggle("fnb-few", this.search.root.hidden);
    const finds = this.search.root.hidden ? "" : ", slash finds";
    this.svg.setAttribute("aria-label", `${scene.headline}. Arrow keys move, Enter shows details${finds}.`);
    this.svg.append(drawTips(this.tip), ...scene.bands.flatMap(drawBand), ...scene.lines.map(drawLine));
    const arcs = scene.calls.map((arc) => drawArc(arc, this.tip));
    this.svg.append(...this.ways.edges.map(({ element }) => element), ...arcs.map(({ line }) => line));
    this.svg.append(...this.nodes.values(), ...arcs.map(({ text }) => text));
    this.root.setAttribute("aria-label", scene.headline);
    this.view.replaceChildren(this.svg);
    this.camera.look(this.svg, scene);
    this.refresh(this.nodes.keys());
    this.select();
    this.lightUp(true);
    this.search.look();
    this.requests.show();
    const again = (focused && this.cards.get(focused)) || scene.cards[0];
    this.rove(again?.key);
    // Who reads elsewhere is not to be taken back here.
    if (onNode || (onDetails && this.details.hidden)) this.nodes.get(again?.key)?.focus({ preventScroll: true });
    if (this.wanted && this.nodes.has(this.wanted)) this.arrive(this.wanted);
  }

  wire(/** @type {Wire} */ wire) {
    const element = drawWire(wire, this.tip);
    // From wave to wave, rather than from one environment to another.
    element.classList.toggle("fnb-order", Boolean(this.cards.get(wire.source)?.span));
    return element;
  }

  /** What is to be said of a card beside its name and its state. */
  remark(/** @type {Card} */ card) { return card.subtitle; }

  /** The second line of a card. */
  sublabel(/** @type {Card} */ card) { return card.span ? this.waves.summary(card).short : card.sublabel; }

  /** Show the present states of these nodes, and what follows from them. */
  refresh(/** @type {Iterable<string>} */ keys) {
    /** @type {Set<string>} */
    const shown = new Set();
    for (const key of keys) {
      const at = this.nodes.has(key) ? key : this.waves.homes.get(key);
      if (at) shown.add(at);
    }
    if (shown.size) for (const { key } of this.waves.open) shown.add(key);
    for (const key of shown) {
      const node = this.nodes.get(key), card = this.cards.get(key), state = this.state(key);
      if (!node || !card || !state) continue; // on the way from one picture to the next
      const told = card.span && node.querySelector(".fnb-sub")?.firstChild;
      if (told) told.nodeValue = this.sublabel(card); // in place, which no observer of elements sees
      const known = card.span ? [card.name, this.waves.summary(card).full] : [card.name, state.label, this.remark(card)];
      paintCard(node, state, known.filter(Boolean).join(", "));
      node.dataset.state = this.stateName(key);
      if (key === this.selected) this.details.querySelector(".fnb-now")?.replaceChildren(...this.now(key));
    }
    this.count();
    if (this.search.query) this.search.look(); // states are searched, too
  }

  count() {
    const vocabulary = this.model.get("_vocabulary");
    const counts = tallied(Object.values(this.model.get("_states")));
    const shown = Object.keys(vocabulary).filter((name) => counts[name]);
    const merelyDefined = shown.every((name) => name === "defined"); // nothing to explain
    const texts = merelyDefined ? [] : shown.map((name) => `${number(counts[name])} ${vocabulary[name].label}`);
    if (this.legend.dataset.told === texts.join()) return; // or a screen reader says it again
    this.legend.dataset.told = texts.join();
    this.legend.replaceChildren(...texts.map((text, at) => html("span", { class: "fnb-key" }, badgeImage(vocabulary[shown[at]]), text)));
  }

  // What is selected

  /** Open or close the details, as the model says. */
  select() {
    for (const [key, node] of this.nodes) {
      const card = this.cards.get(key);
      node.setAttribute("aria-expanded", String(card?.span ? card.opened : key === this.selected));
    }
    this.details.hidden = !this.cards.has(this.selected);
    if (!this.details.hidden) this.describe();
    this.lightUp();
  }

  choose(/** @type {string} */ key) { choose(this.model, "_selected", key); }

  /** Do what a click on a node does: open what it stands for, or its details. */
  act(/** @type {string} */ key) {
    const card = this.cards.get(key);
    if (card?.span) this.fold(card);
    else this.choose(key === this.selected ? "" : key);
  }

  fold(/** @type {Card} */ { span, opened }) {
    const others = this.model.get("_opened").filter((/** @type {number[]} */ other) => String(other) !== String(span));
    this.requests.ask("_opened", opened ? others : [...others, span]);
  }

  /** Go to an environment, wherever it is: inside a wave that is not open, it has to step out first. */
  goTo(/** @type {string} */ key) {
    if (this.nodes.has(key)) this.arrive(key);
    else this.stepOut(key);
  }

  /** Show an environment by itself, and what is next to it, in a picture that is summed up. */
  stepOut(/** @type {string} */ key) {
    this.wanted = key;
    this.requests.ask("_stepped", key);
  }

  arrive(/** @type {string} */ key) {
    this.wanted = undefined;
    const node = this.nodes.get(key), card = this.cards.get(key);
    if (!node || !card) return;
    this.camera.center(node, card, this.scene.box);
    this.rove(key, !this.search.root.contains(document.activeElement));
    this.mark();
  }

  describe() {
    const card = this.cards.get(this.selected);
    if (!card) return;
    const go = (/** @type {string} */ key) => {
      this.choose(key);
      if (this.scene.summed && this.model.get("_stepped") !== key) this.stepOut(key);
      else this.goTo(key);
    };
    const close = button("×", () => { this.choose(""); this.rove(card.key, true); }, { "aria-label": "Close details" });
    const list = html("dl", {}, ...pairs(card.details));
    const { before, after, upstream, downstream } = this.ends(card.key);
    list.append(html("dt", {}, this.scene.sides[0]), links(before, upstream, "upstream", go), html("dt", {}, this.scene.sides[1]), links(after, downstream, "downstream", go));
    this.details.setAttribute("aria-label", `Details of ${card.name}`);
    const now = html("span", { class: "fnb-now" }, ...this.now(card.key));
    const head = html("div", { class: "fnb-head" }, html("strong", {}, card.name), now, close);
    if (this.model.get("_tells")) list.append(...aboutPairs(this.about, Boolean(this.memory.ended)));
    const active = document.activeElement, held = this.details.contains(active) ? active?.textContent : undefined;
    this.details.replaceChildren(head, ...this.news(card), list);
    [...this.details.querySelectorAll("button")].find((each) => each.textContent === held)?.focus({ preventScroll: true });
    this.inquire(card.key);
  }

  /** Ask the kernel what only it knows, once for each time that something is selected or drawn. */
  inquire(/** @type {string} */ key) {
    if (this.memory.asked === key || !(this.model.get("_tells") || this.scene.summed)) return;
    this.memory.asked = key;
    tell(this.model, { tell: key });
  }

  /** What the kernel has told of what is selected. @returns {About | undefined} */
  get about() { return this.memory.about?.key === this.selected ? this.memory.about : undefined; }

  /** What is next to an environment, and how much there is in all; where not all is drawn, the kernel tells. */
  ends(/** @type {string} */ key) {
    const named = (/** @type {string[]} */ keys) => keys.map((other) => /** @type {[string, string]} */ ([other, this.cards.get(other)?.name ?? ""]));
    if (this.about?.ends) return this.about.ends;
    const before = named(this.ways.before(key)), after = named(this.ways.after(key));
    return { before, after, upstream: this.ways.upstream(key).keys.size, downstream: this.ways.downstream(key).keys.size };
  }

  /** What there is to tell of a card beside what it always was. @returns {Element[]} */
  news(/** @type {Card} */ _card) { return []; }

  /** The state of a node as a mark and a word. */
  now(/** @type {string} */ key) {
    const state = this.state(key), label = html("span", { class: "fnb-state" }, state.label);
    paint(label, state);
    return [badgeImage(state), label];
  }

  // What is lit, and what is found

  /** Light the ways of what is pointed at, or has the focus of the keyboard, or else of what is selected. */
  lightUp(again = false) {
    const active = document.activeElement;
    const focused = this.view.contains(active) && active?.matches(":focus-visible") ? keyAt(active) : undefined;
    const found = this.search.root.contains(active) ? this.memory.current : undefined;
    const key = this.hovered || focused || found || this.selected;
    this.light.on(this.svg, this.ways, this.nodes, this.cards.get(key)?.span ? "" : key, again);
  }

  /** Mark what is found; a wave is marked for what is inside it. */
  mark() {
    const { keys } = this.search, inside = new Set([...keys].map((key) => this.waves.homes.get(key)));
    for (const [key, node] of this.nodes) {
      node.classList.toggle("fnb-match", keys.has(key) || inside.has(key));
      node.classList.toggle("fnb-here", keys.has(key) && key === this.memory.current);
    }
    this.lightUp();
  }

  /** Make this the one node that Tab reaches. */
  rove(/** @type {string | undefined} */ key, focus = false) {
    if (key === undefined) return;
    for (const [other, node] of this.nodes) node.setAttribute("tabindex", other === key ? "0" : "-1");
    if (focus) this.nodes.get(key)?.focus();
  }
}

/**
 * What the graph listens to, whatever else its view does.
 *
 * @type {{[event: string]: (views: Iterable<GraphView>) => void}}
 */
const GRAPH_HEARD = {
  "change:_scene": (views) => { for (const view of views) { view.memory.asked = ""; view.requests.answered(); view.redraw(); } },
  "change:_states": (views) => { for (const view of views) view.refresh(view.nodes.keys()); },
  "change:_selected": (views) => { for (const view of views) { view.memory.asked = ""; view.select(); } },
  "ended": (views) => { for (const view of views) view.select(); },
};

/** Bring states up to date in place, as in Python: no event, and what is saved is right. */
function mergeStates(/** @type {Model} */ model, /** @type {Object<string, string>} */ states) { Object.assign(model.get("_states"), states); }
