// Which ways lead to a node and from it, and how they are lit.

/** @typedef {{source: string, target: string, element: SVGElement}} Edge */

/** The edges of a drawing, by their ends. */
class Ways {
  /** @param {Edge[]} edges */
  constructor(edges) {
    this.edges = edges;
    /** @type {Map<string, Edge[]>} */
    this.from = new Map();
    /** @type {Map<string, Edge[]>} */
    this.to = new Map();
    for (const edge of edges) {
      this.note(this.from, edge.source, edge);
      this.note(this.to, edge.target, edge);
    }
  }

  note(/** @type {Map<string, Edge[]>} */ map, /** @type {string} */ key, /** @type {Edge} */ edge) {
    const known = map.get(key);
    if (known) known.push(edge);
    else map.set(key, [edge]);
  }

  before(/** @type {string} */ key) { return (this.to.get(key) ?? []).map((edge) => edge.source); }

  after(/** @type {string} */ key) { return (this.from.get(key) ?? []).map((edge) => edge.target); }

  /** Everything upstream of a node, itself not included, and the edges that lead there. */
  upstream(/** @type {string} */ key) { return this.follow(key, this.to, (edge) => edge.source); }

  downstream(/** @type {string} */ key) { return this.follow(key, this.from, (edge) => edge.target); }

  /** @param {string} key @param {Map<string, Edge[]>} map @param {(edge: Edge) => string} end */
  follow(key, map, end) {
    /** @type {Set<string>} */
    const keys = new Set(), pending = [key];
    /** @type {Edge[]} */
    const edges = [];
    for (let at = 0; at < pending.length; at += 1) {
      for (const edge of map.get(pending[at]) ?? []) {
        edges.push(edge);
        if (!keys.has(end(edge))) {
          keys.add(end(edge));
          pending.push(end(edge));
        }
      }
    }
    return { keys, edges };
  }
}

/** Lights the ways of one node, and dims what is not on them: that stays legible. */
class Light {
  /** @param {string} tip the id of the heads of arrows */
  constructor(tip) {
    this.tip = tip;
    this.key = "";
    /** @type {Element[]} */
    this.lit = [];
  }

  /** Light the ways of `key`, or none. `again` after the drawing has changed. */
  on(/** @type {SVGElement} */ picture, /** @type {Ways} */ ways, /** @type {Map<string, SVGElement>} */ nodes, /** @type {string} */ key, again = false) {
    if (this.key === key && !again) return;
    this.key = key;
    for (const element of this.lit) {
      element.classList.remove("fnb-on");
      if (element.classList.contains("fnb-wire")) element.setAttribute("marker-end", `url(#${this.tip})`);
    }
    this.lit = [];
    const chosen = nodes.get(key);
    picture.classList.toggle("fnb-dimmed", Boolean(chosen));
    if (!chosen) return;
    const up = ways.upstream(key), down = ways.downstream(key);
    for (const { element } of [...up.edges, ...down.edges]) {
      element.setAttribute("marker-end", `url(#${this.tip}-lit)`);
      this.lit.push(element);
    }
    for (const other of [key, ...up.keys, ...down.keys]) {
      const node = nodes.get(other);
      if (node) this.lit.push(node);
    }
    /** @type {NodeListOf<SVGElement>} */
    const arcs = picture.querySelectorAll(".fnb-arc, .fnb-arc-label");
    for (const calls of arcs) if (calls.dataset.ends?.split(" ").includes(key)) this.lit.push(calls);
    for (const element of this.lit) element.classList.add("fnb-on");
  }
}
