// The live view of a run. Python decided which rows there are (_run) and what they say; this draws them, keeps the
// clocks going, and listens. Python puts hosted.js, words.js, head.js, log.js, track.js, rows.js and what is beside it in front.

/** @typedef {HeadMemory & LogMemory & {folded: Set<string>, scrolled?: number, asked?: Asked}} RunMemory */

/** One drawing of a run. There can be several: an output can be shown twice. */
class RunView {
  /** @param {Model} model @param {HTMLElement} parent @param {Partial<RunMemory>} memory */
  constructor(model, parent, memory) {
    this.model = model;
    /** @type {RunMemory} */
    this.memory = Object.assign(memory, { folded: memory.folded ?? new Set() });
    this.root = html("div", { class: "fnb-live fnb-run", role: "group" });
    this.counts = span("fnb-counts");
    this.head = new Head(model, memory, () => this.run.head, { progress: "Calls that have ended", told: [this.counts] });
    this.grid = html("div", { class: "fnb-grid", role: "treegrid", "aria-label": "Calls. Arrow keys move, Enter shows details, or more calls." });
    this.root.append(...this.head.parts, this.grid);
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    /** @type {number | undefined} */
    this.told = undefined;
    /** The row whose details are shown, as they are. @type {{row: Row, list: HTMLElement, log: Log} | undefined} */
    this.described = undefined;
    this.asked = this.memory.asked; // by the view whose place this takes
    this.details = html("div", { class: "fnb-row-details", role: "row" });
    this.listen();
    parent.append(this.root);
    this.refresh(this.run.order, true);
    this.grid.scrollTop = memory.scrolled ?? 0;
    this.clock = ticking(() => this.tick());
  }

  remove() {
    clearInterval(this.clock);
    this.root.remove();
  }

  /** @returns {RunFacts} */
  get run() { return this.model.get("_run"); }
  /** @returns {string} */
  get opened() { return this.model.get("_opened"); }
  /** @returns {State} */
  state(/** @type {string} */ name) { return this.model.get("_vocabulary")[name]; }

  // The head

  showHead() {
    const { head } = this.run;
    this.head.show();
    this.root.dataset.state = head.state;
    this.root.setAttribute("aria-label", `Run, ${head.state}`);
    const key = (/** @type {[string, number]} */ [name, count]) => span("fnb-key", badgeImage(this.state(name)), `${number(count)} ${name}`);
    const more = beyond(head).map((text) => span("fnb-key", text));
    this.counts.replaceChildren(...(head.total > 1 ? [...Object.entries(head.counts).map(key), ...more] : []));
    this.tick();
  }

  /** Show the time that has passed. Text nodes are changed in place, which no observer of the page's elements sees. */
  tick() {
    const { elapsed, going } = this.head;
    if (!going && this.told === elapsed) return;
    this.told = elapsed;
    this.head.tick();
    this.root.style.setProperty("--span", String(Math.max(elapsed, 1e-3)));
    for (const [key, element] of this.rows) {
      const row = this.run.rows[key];
      if (row?.kind !== "more" && row?.ended === null) sayTime(element, row, elapsed);
    }
  }

  // The rows

  /** Show these rows as they are now. */
  refresh(/** @type {Iterable<string>} */ keys, moved = false) {
    const { rows, order } = this.run, opened = this.answer();
    for (const key of keys) {
      if (!rows[key]) continue;
      const element = this.rows.get(key) ?? this.makeRow(key);
      fillRow(element, rows[key], this.model.get("_vocabulary"), this.head.elapsed);
    }
    if (moved) this.arrange(order);
    this.fold();
    this.showHead();
    this.describe();
    this.rove(opened, true);
  }

  makeRow(/** @type {string} */ key) {
    const element = html("div", { class: "fnb-row", role: "row", tabindex: -1 });
    element.dataset.key = key;
    this.rows.set(key, element);
    return element;
  }

  /** Put the rows in order; what is in its place is not moved, because that would take the focus away. */
  arrange(/** @type {string[]} */ order) {
    const kept = new Set(order), focused = this.focused;
    for (const [key, element] of this.rows) {
      if (kept.has(key)) continue;
      element.remove();
      this.rows.delete(key);
    }
    let next = this.grid.firstElementChild;
    for (const key of order) {
      const element = /** @type {HTMLElement} */ (this.rows.get(key));
      if (next === this.details) next = this.details.nextElementSibling;
      if (element === next) next = element.nextElementSibling;
      else this.grid.insertBefore(element, next);
    }
    if (![...this.rows.values()].some((element) => element.tabIndex === 0)) this.rove(order[0]);
    if (!focused || this.focused === focused) return;
    const again = this.rows.has(focused) ? focused : order[0];
    this.rove(again);
    this.rows.get(again)?.focus({ preventScroll: true }); // who reads elsewhere is not to be taken back here
  }

  /** Hide what is below folded rows, and say of each row whether it can be folded. */
  fold() {
    for (const [key, { hidden, opens }] of foldedRows(this.run, this.memory.folded)) {
      const element = this.rows.get(key);
      if (!element) continue;
      element.hidden = hidden;
      if (opens) element.setAttribute("aria-expanded", String(!this.memory.folded.has(key)));
      else element.removeAttribute("aria-expanded");
    }
  }

  setFolded(/** @type {string} */ key, /** @type {boolean} */ folded) {
    this.memory.folded[folded ? "add" : "delete"](key);
    this.fold();
    this.describe();
  }

  // The details

  toggle(/** @type {string} */ key) {
    if (this.run.rows[key]?.kind === "more") this.openMore(key);
    else choose(this.model, "_opened", key === this.opened ? "" : key);
  }

  openMore(/** @type {string} */ key) {
    const row = this.run.rows[key];
    if (!row.opens) return;
    this.asked = this.memory.asked = askForMore(this.model, this.run, row);
    this.rows.get(key)?.setAttribute("aria-busy", "true");
  }

  /** The row to go to, if what was asked for has come, and who asked has waited there. */
  answer() {
    const { asked } = this;
    if (!asked || !isAnswered(this.run, asked)) return undefined;
    this.asked = this.memory.asked = undefined;
    this.rows.get(asked.key)?.removeAttribute("aria-busy");
    return this.focused === asked.key ? firstOpened(this.run, asked) : undefined;
  }

  /** Show the details of the open row below it. */
  describe() {
    const element = this.rows.get(this.opened), row = this.run.rows[this.opened];
    for (const [key, each] of this.rows) each.setAttribute("aria-selected", String(key === this.opened));
    if (!element || element.hidden) { this.details.remove(); return; }
    const before = this.described?.row.key === row.key ? this.described : undefined;
    const isNew = !this.details.isConnected || !before;
    const inView = isNew || this.detailsEnd <= this.grid.scrollTop + this.grid.clientHeight;
    if (element.nextElementSibling !== this.details) element.after(this.details);
    const { list, log } = before ?? this.makeDetails(row);
    if (before?.row !== row) list.replaceChildren(...pairs(rowFacts(row)));
    this.described = { row, list, log };
    log.show(this.model.get("_tail"), row.key, row.lines, row.last_line);
    // Details that were seen to their end, or that are new, stay so while they grow.
    const least = Math.max(this.grid.scrollTop, this.detailsEnd - this.grid.clientHeight);
    if (inView) this.grid.scrollTop = Math.min(least, element.offsetTop);
  }

  get detailsEnd() { return this.details.offsetTop + this.details.offsetHeight; }

  makeDetails(/** @type {Row} */ row) {
    const list = html("dl"), log = new Log(`Lines of ${row.task}`, this.memory);
    this.details.replaceChildren(html("div", { class: "fnb-details", role: "gridcell" }, list, ...log.parts));
    return { list, log };
  }

  // What people do

  listen() {
    this.grid.addEventListener("click", (event) => {
      const element = rowOf(event.target);
      if (!element || String(getSelection())) return; // text is being selected
      const { key = "" } = element.dataset, at = /** @type {Element} */ (event.target);
      const folds = at.closest(".fnb-twisty") && element.hasAttribute("aria-expanded");
      if (folds) this.setFolded(key, !this.memory.folded.has(key));
      else this.toggle(key);
      this.rove(key, true);
    });
    this.grid.addEventListener("scroll", () => { this.memory.scrolled = this.grid.scrollTop; });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("focusin", (event) => this.rove(rowOf(event.target)?.dataset.key));
  }

  /** The key of the row that has the focus. */
  get focused() {
    const active = document.activeElement;
    return this.grid.contains(active) ? rowOf(active)?.dataset.key : undefined;
  }

  key(/** @type {KeyboardEvent} */ event) {
    if (!isOwnKey(event)) return;
    const key = rowOf(event.target)?.dataset.key, open = this.opened;
    const close = () => {
      if (!open) return goToCell(this.root);
      this.toggle(open);
      this.rove(open, true);
    };
    const act = (key === undefined ? undefined : this.acts(key)[event.key]) ?? (event.key === "Escape" && close);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** What keys do on a row. @returns {Object<string, () => void>} */
  acts(/** @type {string} */ key) {
    const shown = this.run.order.filter((each) => !this.rows.get(each)?.hidden), at = shown.indexOf(key);
    const go = (/** @type {number} */ index) => () => this.rove(shown[Math.min(shown.length - 1, Math.max(0, index))], true);
    const toggle = () => this.toggle(key);
    return {
      Enter: toggle, " ": toggle, Home: go(0), End: go(shown.length - 1), ArrowUp: go(at - 1), ArrowDown: go(at + 1),
      ArrowRight: () => this.inward(key, shown[at + 1]), ArrowLeft: () => this.outward(key),
    };
  }

  /** Unfold a row, go to the first below it, or have more shown. */
  inward(/** @type {string} */ key, /** @type {string} */ first) {
    const expanded = this.rows.get(key)?.getAttribute("aria-expanded");
    if (expanded === "false") this.setFolded(key, false);
    else if (expanded === "true") this.rove(first, true);
    else if (this.run.rows[key]?.kind === "more") this.openMore(key);
  }

  /** Fold a row, or go to the one that it is below. */
  outward(/** @type {string} */ key) {
    const above = rowAbove(this.run, key);
    if (this.rows.get(key)?.getAttribute("aria-expanded") === "true") this.setFolded(key, true);
    else if (above !== undefined) this.rove(above, true);
  }

  /** Make this the one row that Tab reaches. */
  rove(/** @type {string | undefined} */ key, focus = false) {
    if (key === undefined || !this.rows.has(key)) return;
    for (const [other, element] of this.rows) element.tabIndex = other === key ? 0 : -1;
    if (focus) this.rows.get(key)?.focus();
  }
}

/** The row in which something is. @returns {HTMLElement | undefined} */
function rowOf(/** @type {EventTarget | null} */ place) {
  const row = place instanceof Element && place.closest(".fnb-row");
  return row instanceof HTMLElement ? row : undefined;
}

export default hosted(RunView, {
  "change:_opened": (views) => { for (const view of views) view.describe(); },
  "change:_cancellable": (views) => { for (const view of views) view.showHead(); },
  "change:_run": (views, model, memory) => {
    noteTime(memory);
    for (const view of views) view.refresh(model.get("_run").order, true);
  },
  "change:_tail": (views) => { for (const view of views) view.describe(); },
  "ended": (views, model, memory) => {
    /** @type {RunFacts} */
    const run = model.get("_run");
    closeOpenings(run);
    if (run.head.ended === null) loseRun(run, model.get("_vocabulary"), run.head.elapsed + sinceHeard(memory));
    for (const view of views) view.refresh(Object.keys(run.rows));
  },
  "msg:custom": (views, model, memory, { tail, ...news }) => {
    mergeRun(model.get("_run"), news);
    if (news.head) noteTime(memory);
    if (tail) mergeTail(model.get("_tail"), tail);
    for (const view of views) view.refresh(Object.keys(news.rows ?? {}), Boolean(news.order));
  },
});
