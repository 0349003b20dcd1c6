// The head of what goes on: its state, a clock, how much of it is done, and a button that cancels it.

/**
 * @typedef {{state: string, counts: Object<string, number>, done: number, total: number, ended: number | null,
 *   elapsed: number}} HeadFacts
 */

const PATIENCE = 3000; // milliseconds until it is said why nothing happens
// As they lie in the progress bar.
const ENDINGS = ["failed", "timed out", "lost", "cancelled", "skipped", "unchanged", "cached", "removed", "succeeded"];

/** Note that the seconds since the beginning were told now: the clock of the page need not agree with the kernel's. */
function noteTime(memory) { memory.heardAt = performance.now(); }

class Head {
  /**
   * @param {Model} model @param {any} memory @param {() => HeadFacts} read gives the facts as they are now
   * @param {{progress: string, title?: string, told?: HTMLElement[]}} words what the progress bar counts, what goes on,
   *   and what else stands in the head
   */
  constructor(model, memory, read, { progress, title = "", told = [] }) {
    this.model = model;
    this.memory = memory;
    this.read = read;
    if (memory.heardAt === undefined) noteTime(memory);
    this.now = span("fnb-top-now");
    this.clockFace = span("fnb-clock", "");
    this.cancel = this.makeCancel();
    this.hint = span("fnb-hint", "Code that does not await hears nothing: interrupt the kernel (■).");
    const status = html("span", { class: "fnb-top-told", role: "status" }, this.now), named = title ? [span("fnb-top-title", title)] : [];
    this.bar = html("div", { class: "fnb-progress", role: "progressbar", "aria-valuemin": 0, "aria-label": progress });
    this.parts = [html("div", { class: "fnb-top" }, status, ...named, this.clockFace, ...told, this.cancel, this.hint), this.bar];
  }

  makeCancel() {
    const button = html("button", { type: "button", class: "fnb-cancel" }, "Cancel");
    button.addEventListener("click", () => {
      Object.assign(this.memory, { cancelling: true, askedAt: performance.now() });
      this.model.send({ cancel: true });
      this.showCancel();
      setTimeout(() => this.showCancel(), PATIENCE + 1);
    });
    return button;
  }

  get facts() { return this.read(); }

  get going() { return this.facts.ended === null; }

  /** Seconds since the beginning, or how long it took. */
  get elapsed() { return this.facts.ended ?? this.facts.elapsed + this.sinceHeard; }

  get sinceHeard() { return (performance.now() - this.memory.heardAt) / 1000; }

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
    this.bar.setAttribute("aria-valuemax", total);
    this.bar.setAttribute("aria-valuenow", done);
    this.bar.replaceChildren(...ENDINGS.filter((name) => counts[name]).map((name) => {
      const part = html("i");
      paint(part, vocabulary[name]);
      part.style.width = `${(100 * counts[name]) / total}%`;
      return part;
    }));
    this.tick();
  }

  showCancel() {
    const cancelling = this.memory.cancelling && this.going;
    this.cancel.hidden = !this.model.get("_cancellable") || !this.going;
    this.cancel.disabled = cancelling;
    this.cancel.textContent = cancelling ? "Cancelling…" : "Cancel";
    this.hint.hidden = !cancelling || performance.now() - this.memory.askedAt < PATIENCE;
  }

  /** Show the time that has passed. The text is changed in place, which no observer of the page's elements sees. */
  tick() { this.clockFace.firstChild.data = duration(this.elapsed, this.going); }
}
