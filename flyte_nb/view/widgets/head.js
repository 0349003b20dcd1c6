// The head of what goes on: its state, a clock, how much of it is done, and a button that cancels it.

/**
 * @typedef {{state: string, counts: Object<string, number>, done: number, total: number, ended: number | null,
 *   elapsed: number, left?: number | null}} HeadFacts `left` where it can be estimated
 * @typedef {{heardAt?: number, cancelling?: boolean, askedAt?: number}} HeadMemory
 */

const PATIENCE = 3000; // milliseconds until it is said why nothing happens

/** Note that the seconds since the beginning were told now: the clock of the page need not agree with the kernel's. */
function noteTime(/** @type {HeadMemory} */ memory) { memory.heardAt = performance.now(); }

const sinceHeard = (/** @type {HeadMemory} */ memory) => (performance.now() - (memory.heardAt ?? performance.now())) / 1000;

/**
 * Move counts to the states in which a kernel that has ended leaves what it no longer tells of; these come first.
 *
 * @param {Object<string, number>} counts @param {Vocabulary} vocabulary
 */
function abandon(counts, vocabulary) {
  const before = Object.entries(counts), moved = before.filter(([name]) => vocabulary[name].left);
  for (const [name] of before) delete counts[name];
  const add = (/** @type {string} */ name, /** @type {number} */ count) => { if (count) counts[name] = (counts[name] ?? 0) + count; };
  for (const [name, count] of moved) add(vocabulary[name].left, count);
  for (const [name, count] of before) if (!vocabulary[name].left) add(name, count);
}

class Head {
  /**
   * @param {Model} model @param {HeadMemory} memory @param {() => HeadFacts} read gives the facts as they are now
   * @param {{progress: string, title?: string, told?: HTMLElement[]}} words what the progress bar counts, what goes on,
   *   and what else stands in the head
   */
  constructor(model, memory, read, { progress, title = "", told = [] }) {
    this.model = model;
    this.memory = memory;
    this.read = read;
    if (memory.heardAt === undefined) noteTime(memory);
    this.now = span("fnb-top-now");
    this.clock = new Text("fnb-clock");
    this.left = new Text("fnb-left");
    this.cancel = this.makeCancel();
    this.hint = span("fnb-hint", "Code that does not await hears nothing: interrupt the kernel (■).");
    const status = html("span", { class: "fnb-top-told", role: "status" }, this.now);
    const named = title ? [span("fnb-top-title", title)] : [];
    this.bar = html("div", { class: "fnb-progress", role: "progressbar", "aria-valuemin": 0, "aria-label": progress });
    const line = [status, ...named, this.clock.span, ...told, this.left.span, this.cancel, this.hint];
    this.parts = [html("div", { class: "fnb-top" }, ...line), this.bar];
  }

  makeCancel() {
    return button("Cancel", () => {
      Object.assign(this.memory, { cancelling: true, askedAt: performance.now() });
      tell(this.model, { cancel: true });
      this.showCancel();
      setTimeout(() => this.showCancel(), PATIENCE + 1);
    }, { class: "fnb-cancel" });
  }

  get facts() { return this.read(); }

  get going() { return this.facts.ended === null; }

  /** Seconds since the beginning, or how long it took. */
  get elapsed() { return this.facts.ended ?? this.facts.elapsed + sinceHeard(this.memory); }

  show() {
    const { state, counts, done, total } = this.facts, vocabulary = this.model.get("_vocabulary");
    if (this.now.dataset.state !== state) { // or a screen reader says it again
      const label = span("fnb-state", vocabulary[state].label);
      paint(label, vocabulary[state]);
      this.now.replaceChildren(badgeImage(vocabulary[state]), label);
      this.now.dataset.state = state;
    }
    this.showCancel();
    this.bar.hidden = total < 2;
    this.bar.setAttribute("aria-valuemax", String(total));
    this.bar.setAttribute("aria-valuenow", String(done));
    this.bar.setAttribute("aria-valuetext", `${number(done)} of ${number(total)}`);
    this.bar.replaceChildren(...Object.keys(vocabulary).filter((name) => vocabulary[name].ending && counts[name]).map((name) => {
      const part = html("i");
      paint(part, vocabulary[name]);
      part.style.width = `${(100 * counts[name]) / total}%`;
      return part;
    }));
    this.tick();
  }

  showCancel() {
    const cancelling = Boolean(this.memory.cancelling && this.going);
    this.cancel.hidden = !this.model.get("_cancellable") || !this.going;
    this.cancel.disabled = cancelling;
    this.cancel.textContent = cancelling ? "Cancelling…" : "Cancel";
    this.hint.hidden = !cancelling || performance.now() - (this.memory.askedAt ?? 0) < PATIENCE;
  }

  /** Show the time that has passed, and how much there is left. */
  tick() {
    const { going, elapsed, facts: { left } } = this;
    this.clock.say(duration(elapsed, going));
    this.left.say(going && typeof left === "number" ? leftText(left, sinceHeard(this.memory), elapsed) : "");
  }
}
