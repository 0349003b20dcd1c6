// The live view of a run. Python decided which rows there are (_run) and what they say; this draws them, keeps the
// clocks going, and listens. Python puts hosted.js, words.js, head.js and log.js in front.

/**
 * @typedef {{key: string, kind: "call" | "group" | "more", depth: number, task: string, state: string, bar: string,
 *   started: number, ended: number | null, inputs: string, attempts: number, waiting: string, error: string,
 *   loud: boolean, lines: number, last_line: string, size: number, hidden: number, counts: Object<string, number>}} Row
 */

const DEEPEST = 16; // further in, there would be no room for names
const REMARKABLE = new Set(["failed", "timed out", "lost", "cancelled", "retrying", "cached"]);

function tally(/** @type {Row} */ row, /** @type {string} */ between) {
  return Object.entries(row.counts).map(([name, count]) => `${number(count)} ${name}`).join(between);
}

/** One drawing of a run. There can be several: an output can be shown twice. */
class RunView {
  /** @param {Model} model @param {HTMLElement} parent @param {any} memory */
  constructor(model, parent, memory) {
    this.model = model;
    this.memory = Object.assign(memory, { folded: memory.folded ?? new Set() });
    this.root = html("div", { class: "fnb-live fnb-run", role: "group" });
    // Lumino would take arrows and Enter for the notebook's own before they get here.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.counts = span("fnb-counts");
    this.head = new Head(model, memory, () => this.run.head, { progress: "Calls that have ended", told: [this.counts] });
    this.grid = html("div", { class: "fnb-grid", role: "treegrid", "aria-label": "Calls. Arrow keys move, Enter shows details." });
    this.root.append(...this.head.parts, this.grid);
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.details = html("div", { class: "fnb-row-details", role: "row" });
    this.listen();
    parent.append(this.root);
    this.refresh(this.run.order, true);
    this.grid.scrollTop = memory.scrolled ?? 0;
    if (memory.focused && document.activeElement === document.body) this.rove(memory.focused, true);
    this.clock = ticking(() => this.tick());
  }

  remove() {
    clearInterval(this.clock);
    this.root.remove();
  }

  /** @returns {{rows: Object<string, Row>, order: string[], head: HeadFacts}} */
  get run() { return this.model.get("_run"); }
  /** @returns {string} */
  get opened() { return this.model.get("_opened"); }
  /** @returns {State} */
  state(name) { return this.model.get("_vocabulary")[name]; }

  // The head

  showHead() {
    const { head } = this.run;
    this.head.show();
    this.root.dataset.state = head.state;
    this.root.setAttribute("aria-label", `Run, ${head.state}`);
    const key = ([name, count]) => span("fnb-key", badgeImage(this.state(name)), `${number(count)} ${name}`);
    this.counts.replaceChildren(...(head.total > 1 ? Object.entries(head.counts).map(key) : []));
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
      if (row?.kind !== "more" && row?.ended === null) this.time(element, row);
    }
  }

  // The rows

  /** Show these rows as they are now. */
  refresh(/** @type {Iterable<string>} */ keys, moved = false) {
    const { rows, order } = this.run;
    for (const key of keys) {
      if (!rows[key]) continue;
      const element = this.rows.get(key) ?? this.makeRow(key);
      this.fillRow(element, rows[key]);
    }
    if (moved) this.arrange(order);
    this.fold();
    this.showHead();
    this.describe();
  }

  makeRow(key) {
    const element = html("div", { class: "fnb-row", role: "row", tabindex: -1 });
    element.dataset.key = key;
    this.rows.set(key, element);
    return element;
  }

  fillRow(element, /** @type {Row} */ row) {
    element.style.setProperty("--depth", String(Math.min(row.depth, DEEPEST)));
    element.setAttribute("aria-level", String(row.depth + 1));
    Object.assign(element.dataset, { kind: row.kind, state: row.state, loud: String(row.loud) });
    if (row.kind === "more") {
      const cell = html("div", { class: "fnb-name-cell", role: "gridcell" }, span("fnb-twisty"), `… and ${number(row.size)} more`);
      element.replaceChildren(cell);
      return;
    }
    paint(element, this.state(row.state));
    const took = html("div", { class: "fnb-took", role: "gridcell" }, "");
    element.replaceChildren(this.nameCell(row), took, this.track(row));
    this.time(element, row);
  }

  nameCell(/** @type {Row} */ row) {
    const twisty = span("fnb-twisty"), state = this.state(row.state);
    twisty.setAttribute("aria-hidden", "true");
    const words = row.kind === "group" ? ` × ${number(row.size)}` : `(${row.inputs})`;
    const line = html("div", { class: "fnb-call" }, twisty, badgeImage(state), span("fnb-task", row.task));
    line.append(span("fnb-inputs", words));
    const worded = row.kind === "call" && REMARKABLE.has(row.state);
    line.append(span(worded ? "fnb-word" : "fnb-unseen", ` ${state.label}`), ...this.remarks(row));
    const cell = html("div", { class: "fnb-name-cell", role: "gridcell" }, line);
    if (row.kind === "group") cell.append(html("div", { class: "fnb-tally" }, tally(row, " · ")));
    if (row.loud) cell.append(html("div", { class: "fnb-error" }, row.error));
    if (row.last_line && (row.ended === null || row.loud)) cell.append(html("div", { class: "fnb-last-line" }, row.last_line));
    return cell;
  }

  remarks(/** @type {Row} */ row) {
    const remarks = row.waiting ? ["queued", `waits for ${row.waiting}`] : [];
    if (row.attempts > 1) remarks.push(`attempt ${row.attempts}`);
    if (row.lines) remarks.push(counted(row.lines, "line"));
    if (row.hidden) remarks.push("more calls below");
    return remarks.length ? [span("fnb-remarks", remarks.join(" · "))] : [];
  }

  track(/** @type {Row} */ row) {
    const bar = html("div", { class: "fnb-bar" });
    paint(bar, this.state(row.bar));
    bar.style.setProperty("--from", String(row.started));
    bar.style.setProperty("--to", row.ended === null ? "var(--span)" : String(row.ended));
    return html("div", { class: "fnb-track", role: "gridcell", "aria-hidden": "true" }, bar);
  }

  time(element, /** @type {Row} */ row) {
    const took = element.querySelector(".fnb-took"), going = row.ended === null;
    const text = row.state === "queued" ? "" : duration((row.ended ?? this.head.elapsed) - row.started, going);
    if (took.firstChild) took.firstChild.data = text;
    else took.append(document.createTextNode(text));
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
      const element = this.rows.get(key);
      if (next === this.details) next = next.nextElementSibling;
      if (element === next) next = next.nextElementSibling;
      else this.grid.insertBefore(element, next);
    }
    if (![...this.rows.values()].some((element) => element.tabIndex === 0)) this.rove(order[0]);
    if (focused && this.focused !== focused) this.rove(this.rows.has(focused) ? focused : order[0], true);
  }

  /** Hide what is below folded rows, and say of each row whether it can be folded. */
  fold() {
    const { rows, order } = this.run;
    let below = Infinity;
    order.forEach((key, index) => {
      const element = this.rows.get(key), { depth } = rows[key];
      if (depth <= below) below = Infinity;
      element.hidden = depth > below;
      const opens = rows[order[index + 1]]?.depth > depth, folded = this.memory.folded.has(key);
      if (opens) element.setAttribute("aria-expanded", String(!folded));
      else element.removeAttribute("aria-expanded");
      if (folded && below === Infinity) below = depth;
    });
  }

  setFolded(key, folded) {
    this.memory.folded[folded ? "add" : "delete"](key);
    this.fold();
    this.describe();
  }

  // The details

  toggle(key) {
    if (this.run.rows[key]?.kind === "more") return;
    choose(this.model, "_opened", key === this.opened ? "" : key);
  }

  /** Show the details of the open row below it. */
  describe() {
    const element = this.rows.get(this.opened);
    for (const [key, each] of this.rows) each.setAttribute("aria-selected", String(key === this.opened));
    if (!element || element.hidden) { this.details.remove(); return; }
    const row = this.run.rows[this.opened];
    const isNew = !this.details.isConnected || this.described?.key !== row.key;
    const inView = isNew || this.detailsEnd <= this.grid.scrollTop + this.grid.clientHeight;
    if (element.nextElementSibling !== this.details) element.after(this.details);
    if (this.described?.key !== row.key) this.makeDetails(row);
    if (this.described !== row) {
      const pairs = this.facts(row).flatMap(([term, text]) => [html("dt", {}, term), html("dd", {}, text)]);
      this.list.replaceChildren(...pairs);
    }
    this.described = row;
    this.log.show(this.model.get("_tail"), row.key, row.lines, row.last_line);
    // Details that were seen to their end, or that are new, stay so while they grow.
    const least = Math.max(this.grid.scrollTop, this.detailsEnd - this.grid.clientHeight);
    if (inView) this.grid.scrollTop = Math.min(least, element.offsetTop);
  }

  get detailsEnd() { return this.details.offsetTop + this.details.offsetHeight; }

  makeDetails(/** @type {Row} */ row) {
    this.list = html("dl");
    this.log = new Log(`Lines of ${row.task}`);
    const named = { class: "fnb-details", role: "gridcell", "aria-label": `Details of ${row.task}` };
    this.details.replaceChildren(html("div", named, this.list, ...this.log.parts));
  }

  facts(/** @type {Row} */ row) {
    const facts = [["state", row.kind === "group" ? tally(row, ", ") : row.state]];
    if (row.kind === "call") facts.push(["inputs", row.inputs || "none"]);
    if (row.waiting) facts.push(["waits for", row.waiting]);
    if (row.error) facts.push(["error", row.error]);
    if (row.attempts > 1) facts.push(["attempts", number(row.attempts)]);
    facts.push(["began", `after ${duration(row.started)}`]);
    if (row.ended !== null) facts.push(["ended", `after ${duration(row.ended)}`]);
    return facts;
  }

  // What people do

  listen() {
    this.grid.addEventListener("click", (event) => {
      const element = event.target.closest(".fnb-row");
      if (!element || String(getSelection())) return; // text is being selected
      const { key } = element.dataset;
      const folds = event.target.closest(".fnb-twisty") && element.hasAttribute("aria-expanded");
      if (folds) this.setFolded(key, !this.memory.folded.has(key));
      else this.toggle(key);
      this.rove(key, true);
    });
    this.grid.addEventListener("scroll", () => { this.memory.scrolled = this.grid.scrollTop; });
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("focusin", (event) => { this.memory.focused = event.target.closest(".fnb-row")?.dataset.key; });
    this.root.addEventListener("focusout", () => setTimeout(() => {
      // An output that is updated takes the focus with it; then it is to come back.
      if (this.root.isConnected && !this.root.contains(document.activeElement)) this.memory.focused = undefined;
    }));
  }

  /** The key of the row that has the focus. */
  get focused() {
    const active = document.activeElement;
    return this.grid.contains(active) ? active.closest(".fnb-row")?.dataset.key : undefined;
  }

  key(/** @type {KeyboardEvent} */ event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.target.closest(".fnb-row")?.dataset.key, open = this.opened;
    const close = () => { this.toggle(open); if (this.rows.has(open)) this.rove(open, true); };
    const shown = this.run.order.filter((each) => !this.rows.get(each).hidden), at = shown.indexOf(key);
    const go = (index) => () => this.rove(shown[Math.min(shown.length - 1, Math.max(0, index))], true);
    const act = {
      ...(key && {
        Enter: () => this.toggle(key), " ": () => this.toggle(key), Home: go(0), End: go(shown.length - 1),
        ArrowUp: go(at - 1), ArrowDown: go(at + 1), ArrowRight: () => this.inward(key, shown), ArrowLeft: () => this.outward(key),
      }),
      ...(open && { Escape: close }),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** Unfold a row, or go to the first below it. */
  inward(key, shown) {
    const expanded = this.rows.get(key).getAttribute("aria-expanded");
    if (expanded === "false") this.setFolded(key, false);
    else if (expanded === "true") this.rove(shown[shown.indexOf(key) + 1], true);
  }

  /** Fold a row, or go to the one that it is below. */
  outward(key) {
    if (this.rows.get(key).getAttribute("aria-expanded") === "true") { this.setFolded(key, true); return; }
    const { order, rows } = this.run, above = order.slice(0, order.indexOf(key)).reverse();
    const caller = above.find((each) => rows[each].depth < rows[key].depth);
    if (caller) this.rove(caller, true);
  }

  /** Make this the one row that Tab reaches. */
  rove(key, focus = false) {
    if (!this.rows.has(key)) return;
    for (const [other, element] of this.rows) element.tabIndex = other === key ? 0 : -1;
    if (focus) this.rows.get(key).focus();
  }
}

/** Bring the model up to date in place, as Python has: no event, and a page that is loaded later gets the whole. */
function merge(/** @type {Model} */ model, memory, { rows, order, head, tail }) {
  const run = model.get("_run");
  Object.assign(run.rows, rows);
  if (order) {
    const kept = new Set(order);
    for (const key of Object.keys(run.rows)) if (!kept.has(key)) delete run.rows[key];
    run.order = order;
  }
  if (head) {
    run.head = head;
    noteTime(memory);
  }
  if (tail) mergeTail(model.get("_tail"), tail);
}

export default hosted(RunView, {
  "change:_opened": (views) => { for (const view of views) view.describe(); },
  "change:_cancellable": (views) => { for (const view of views) view.showHead(); },
  // The kernel has ended or was restarted: nobody will tell what has become of a run that was going on.
  "comm_live_update": (views, model, memory) => {
    const { head, rows } = model.get("_run");
    if (head.ended !== null) return;
    const { queued = 0, running = 0, retrying = 0, ...counts } = head.counts;
    Object.assign(head, { state: "lost", counts: { lost: queued + running + retrying, ...counts }, ended: head.elapsed + (performance.now() - memory.heardAt) / 1000 });
    for (const row of Object.values(rows)) if (row.ended === null && row.kind === "call") Object.assign(row, { state: "lost", bar: "lost", ended: head.ended });
    for (const view of views) view.refresh(Object.keys(rows), false);
  },
  "msg:custom": (views, model, memory, message) => {
    merge(model, memory, message);
    for (const view of views) view.refresh(Object.keys(message.rows ?? {}), Boolean(message.order));
  },
});
