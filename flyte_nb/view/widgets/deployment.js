// The live view of a deployment: the graph, with a head, a clock on each card, and what an environment has said.
// Python puts hosted.js, words.js, head.js, log.js and graph_view.js in front.

/**
 * @typedef {{word: string, at: string, started: number | null, ended: number | null, attempt: number,
 *   error: string}} Fact
 */

const LOUD = new Set(["failed", "timed out", "lost"]);
const MOST_FAILURES = 8;

class DeploymentView extends GraphView {
  /** @param {Model} model @param {HTMLElement} parent @param {any} memory */
  constructor(model, parent, memory) {
    super(model, parent, memory);
    this.root.classList.add("fnb-deployment");
    this.showHead();
    this.clock = ticking(() => this.tick());
  }

  remove() {
    clearInterval(this.clock);
    super.remove();
  }

  parts() {
    this.done = span("fnb-done");
    this.left = span("fnb-left", "");
    const words = { progress: "Environments that are done", title: this.model.get("_title"), told: [this.done, this.left] };
    this.head = new Head(this.model, this.memory, () => this.model.get("_head"), words);
    this.failures = html("div", { class: "fnb-failures" });
    const [stage, legend, details] = super.parts();
    return [...this.head.parts, stage, legend, this.failures, details];
  }

  /** @returns {Fact | undefined} */
  fact(key) { return this.model.get("_facts")[key]; }

  // The head

  showHead() {
    const { facts } = this.head;
    this.head.show();
    this.root.dataset.state = facts.state;
    this.done.textContent = `${number(facts.done)} of ${number(facts.total)}`;
    this.tick();
  }

  /** Show the time that has passed. Text is changed in place, which no observer of the page's elements sees. */
  tick() {
    const { head } = this;
    if (!head.going && this.told === head.elapsed) return;
    this.told = head.elapsed;
    head.tick();
    this.left.firstChild.data = this.estimate();
    for (const [key, node] of this.nodes) {
      const fact = this.fact(key);
      if (fact?.started !== null && fact?.ended === null) this.time(node, key);
    }
  }

  estimate() {
    const { going, facts: { left }, sinceHeard } = this.head;
    if (!going || left === null) return "";
    const seconds = left - sinceHeard;
    return seconds > 0 ? `${about(seconds)} left` : "longer than expected";
  }

  // The cards

  sublabel(/** @type {Card} */ card) {
    const fact = this.fact(card.key);
    if (!fact) return card.sublabel;
    const took = this.took(fact);
    return took ? `${fact.word} · ${took}` : fact.word;
  }

  /** How long an environment took, or has taken so far. */
  took(/** @type {Fact} */ { started, ended }) {
    return started === null ? "" : duration((ended ?? this.head.elapsed) - started, ended === null);
  }

  time(node, key) {
    const text = node.querySelector(".fnb-sub")?.firstChild;
    if (text) text.data = this.sublabel(this.cards.get(key));
    if (key === this.selected && this.lasted) this.lasted.firstChild.data = this.took(this.fact(key));
  }

  refresh(/** @type {Iterable<string>} */ some) {
    const keys = [...some];
    super.refresh(keys);
    for (const key of keys) {
      const node = this.nodes.get(key);
      if (!node) continue; // on the way from one picture to the next
      this.time(node, key);
      if (key === this.selected && !this.details.hidden) this.tell(key);
    }
    this.complain();
  }

  // What went wrong

  complain() {
    const loud = this.scene.cards.filter(({ key }) => this.fact(key) && LOUD.has(this.model.get("_states")[key]));
    const told = loud.map(({ key }) => key).join();
    if (this.failures.dataset.told === told) return; // or it would take the focus, and what is selected, with it
    this.failures.dataset.told = told;
    const more = loud.length > MOST_FAILURES ? [html("div", { class: "fnb-more" }, `and ${number(loud.length - MOST_FAILURES)} more`)] : [];
    this.failures.replaceChildren(...loud.slice(0, MOST_FAILURES).map((card) => this.failure(card)), ...more);
  }

  failure(/** @type {Card} */ { key, name }) {
    const state = this.state(key), button = html("button", { type: "button" }, name);
    button.addEventListener("click", () => this.choose(key));
    const failure = html("div", { class: "fnb-failure" }, badgeImage(state), button, span("fnb-failure-error", this.fact(key).error || state.label));
    paint(failure, state);
    return failure;
  }

  // What is selected

  news(/** @type {Card} */ card) {
    this.list = html("dl", { class: "fnb-news" });
    this.log = new Log(`What the deployment of ${card.name} has said`, this.memory);
    this.tell(card.key);
    return [this.list, ...this.log.parts];
  }

  describe() {
    super.describe();
    this.showLines(); // only what is in the page can scroll to its end
  }

  tell(key) {
    const fact = this.fact(key), pair = (term, ...told) => [html("dt", {}, term), html("dd", {}, ...told)];
    this.lasted = span("fnb-lasted", fact ? this.took(fact) : "");
    this.list.replaceChildren(
      ...(fact?.at ? [...pair("started", fact.at), ...pair("took", this.lasted)] : []),
      ...(fact?.attempt > 1 ? pair("attempt", number(fact.attempt)) : []),
      ...(fact?.error ? pair("error", fact.error) : []),
    );
  }

  showLines() {
    if (this.details.hidden || !this.log) return;
    /** @type {Tail} */
    const tail = this.model.get("_tail");
    this.log.show(tail, this.selected, tail.key === this.selected ? tail.first + tail.lines.length : 0, "");
  }
}

/** What becomes of environments when the kernel has ended: nobody will tell. */
const ABANDONED = { running: "lost", retrying: "lost", pending: "cancelled" };

function abandon(/** @type {Object<string, number>} */ counts) {
  for (const [from, to] of Object.entries(ABANDONED)) {
    if (counts[from]) counts[to] = (counts[to] ?? 0) + counts[from];
    delete counts[from];
  }
}

export default hosted(DeploymentView, {
  ...GRAPH_HEARD,
  "change:_cancellable": (views) => { for (const view of views) view.showHead(); },
  // The kernel has ended or was restarted.
  "comm_live_update": (views, model, memory) => {
    const head = model.get("_head"), states = model.get("_states"), facts = model.get("_facts");
    if (head.ended !== null) return;
    abandon(head.counts);
    abandon(model.get("_scene").counts ?? {});
    const ended = head.elapsed + (performance.now() - memory.heardAt) / 1000;
    Object.assign(head, { state: "lost", done: head.total, ended, left: null });
    for (const [key, state] of Object.entries(states)) {
      if (!ABANDONED[state]) continue;
      states[key] = ABANDONED[state];
      const fact = facts[key];
      if (fact) Object.assign(fact, { word: states[key], ended: fact.started === null ? null : ended, error: "the kernel has ended" });
    }
    for (const view of views) {
      view.refresh(view.nodes.keys());
      view.showHead();
    }
  },
  "msg:custom": (views, model, memory, { states = {}, facts = {}, head, tail }) => {
    mergeStates(model, states);
    Object.assign(model.get("_facts"), facts);
    if (head) {
      Object.assign(model.get("_head"), head);
      noteTime(memory);
    }
    if (tail) mergeTail(model.get("_tail"), tail);
    const changed = new Set([...Object.keys(states), ...Object.keys(facts)]);
    for (const view of views) {
      if (changed.size) view.refresh(changed);
      if (head) view.showHead();
      if (tail) view.showLines();
    }
  },
});
