// The live view of a deployment: the graph, with a head, a clock on each card, and what an environment has said.
// Python puts hosted.js, words.js, head.js, log.js, track.js, the parts of the graph and deployment_timeline.js in front.

const MOST_FAILURES = 8;

class DeploymentView extends GraphView {
  /** @param {Model} model @param {HTMLElement} parent @param {any} memory */
  constructor(model, parent, memory) {
    super(model, parent, memory);
    /** @type {number | undefined} */
    this.told = undefined;
    /** @type {Set<string>} */
    this.changed = new Set();
    /** @type {number | undefined} */
    this.frame = undefined;
    this.root.classList.add("fnb-deployment");
    this.showHead();
    this.clock = ticking(() => this.tick());
  }

  remove() {
    clearInterval(this.clock);
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    super.remove();
  }

  parts() {
    const done = span("fnb-done"), failures = html("div", { class: "fnb-failures" });
    const words = { progress: "Environments that are done", title: this.model.get("_title"), told: [done] };
    const head = new Head(this.model, this.memory, () => this.model.get("_head"), words);
    const timeline = new Timeline({
      name: (key) => this.cards.get(key)?.name ?? this.waves.index.find(([other]) => other === key)?.[1] ?? "",
      state: (key) => this.model.get("_vocabulary")[this.model.get("_states")[key]],
      stateName: (key) => this.model.get("_states")[key],
      took: (fact) => this.took(fact),
      choose: (key) => this.show(key),
    });
    this.made = { head, done, failures, timeline };
    const [stage, legend, details] = super.parts();
    legend.removeAttribute("role"); // the head tells how it goes, and a screen reader is not to say each change twice
    return [...head.parts, stage, legend, failures, timeline.root, details];
  }

  /** What a deployment has beside its graph, which asks for its parts before anything else. */
  get own() { return /** @type {NonNullable<typeof this.made>} */ (this.made); }

  /** @returns {Fact | undefined} */
  fact(/** @type {string} */ key) { return this.model.get("_facts")[key]; }

  // The head

  showHead() {
    const { head, done } = this.own, { facts } = head;
    head.show();
    this.root.dataset.state = facts.state;
    done.textContent = `${number(facts.done)} of ${number(facts.total)}`;
    this.tick();
  }

  /** Show the time that has passed. */
  tick() {
    const { head, timeline } = this.own;
    if (!head.going && this.told === head.elapsed) return;
    this.told = head.elapsed;
    head.tick();
    timeline.tick(head.elapsed);
    for (const [key, node] of this.nodes) {
      const fact = this.fact(key);
      if (fact && fact.started !== null && fact.ended === null) this.time(node, key);
    }
  }

  // The cards

  remark(/** @type {Card} */ card) {
    const fact = this.fact(card.key);
    return fact && fact.ended !== null ? this.took(fact) : ""; // its state is said, and its word was so at the beginning
  }

  sublabel(/** @type {Card} */ card) {
    const fact = this.fact(card.key);
    if (!fact) return super.sublabel(card);
    const took = this.took(fact), word = fact.word || this.state(card.key).label;
    return took ? `${word} · ${took}` : word;
  }

  /** How long an environment took, or has taken so far. @returns {string} */
  took(/** @type {Fact} */ { started, ended }) {
    return started === null ? "" : duration((ended ?? this.own.head.elapsed) - started, ended === null);
  }

  time(/** @type {Element} */ node, /** @type {string} */ key) {
    const text = node.querySelector(".fnb-sub")?.firstChild, card = this.cards.get(key), fact = this.fact(key);
    if (text && card) text.nodeValue = this.sublabel(card);
    if (fact && key === this.selected) this.selectedNews?.lasted.say(this.took(fact));
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
    this.own.timeline.show(this.model.get("_facts"));
    this.complain();
  }

  /** Show states and facts in the next frame: of many messages that come at once, each environment is painted once. */
  refreshSoon(/** @type {Iterable<string>} */ keys) {
    for (const key of keys) this.changed.add(key);
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      const changed = [...this.changed];
      this.changed.clear();
      this.refresh(changed);
    });
  }

  /** Show the details of an environment, wherever it is. */
  show(/** @type {string} */ key) {
    this.choose(key);
    if (!this.cards.has(key)) this.goTo(key);
  }

  // What went wrong

  complain() {
    const { failures } = this.own;
    /** @type {Object<string, string>} */
    const states = this.model.get("_states");
    /** @type {Vocabulary} */
    const vocabulary = this.model.get("_vocabulary");
    const failed = Object.values(states).filter((state) => vocabulary[state].loud).length;
    const loud = this.scene.cards.filter(({ key }) => this.fact(key) && vocabulary[states[key]]?.loud);
    const told = [failed, ...loud.map(({ key }) => key)].join();
    if (failures.dataset.told === told) return; // or it would take the focus, and what is selected, with it
    failures.dataset.told = told;
    const rest = failed - MOST_FAILURES;
    const more = rest > 0 ? [html("div", { class: "fnb-more" }, `and ${number(rest)} more`)] : [];
    failures.replaceChildren(...loud.slice(0, MOST_FAILURES).map((card) => this.failure(card)), ...more);
  }

  failure(/** @type {Card} */ { key, name }) {
    const state = this.state(key), named = button(name, () => this.choose(key));
    const error = span("fnb-failure-error", this.fact(key)?.error || state.label);
    const failure = html("div", { class: "fnb-failure" }, badgeImage(state), named, error);
    paint(failure, state);
    return failure;
  }

  // What is selected

  /** @param {Card} card @returns {Element[]} */
  news(card) {
    const list = html("dl", { class: "fnb-news" });
    const log = new Log(`What the deployment of ${card.name} has said`, this.memory);
    this.selectedNews = { list, log, lasted: new Text("fnb-lasted") };
    this.tell(card.key);
    return [list, ...log.parts];
  }

  describe() {
    super.describe();
    this.showLines(); // only what is in the page can scroll to its end
  }

  tell(/** @type {string} */ key) {
    if (!this.selectedNews) return;
    const { list, lasted } = this.selectedNews, fact = this.fact(key);
    /** @type {[string, string | Node][]} */
    const told = [];
    lasted.say(fact ? this.took(fact) : "");
    if (fact?.at) told.push(["started", fact.at], ["took", lasted.span]);
    if (fact && fact.attempt > 1) told.push(["attempt", number(fact.attempt)]);
    if (fact?.error) told.push(["error", fact.error]);
    list.replaceChildren(...pairs(told));
  }

  showLines() {
    if (this.details.hidden || !this.selectedNews) return;
    /** @type {Tail} */
    const tail = this.model.get("_tail");
    const count = tail.key === this.selected ? tail.first + tail.lines.length : 0;
    this.selectedNews.log.show(tail, this.selected, count, "");
  }
}

/** @type {Fact} of what has not begun, as Python has it */
const PENDING = { word: "", at: "", started: null, ended: null, attempt: 1, error: "", bar: true };

/**
 * Bring facts up to date in place, as in Python, which sends what of them is other than before, and null for those that
 * nothing shows any more.
 * @param {Object<string, Fact>} known @param {Object<string, Partial<Fact> | null>} facts
 */
function mergeFacts(known, facts) {
  for (const [key, news] of Object.entries(facts)) {
    if (news) known[key] = { ...PENDING, ...known[key], ...news };
    else delete known[key];
  }
}

/** Bring the head up to date, likewise; of the counts, too, it gets those that are others. */
function mergeHead(/** @type {HeadFacts} */ known, /** @type {Partial<HeadFacts>} */ { counts = {}, ...news }) {
  Object.assign(known, news);
  for (const [name, count] of Object.entries(counts)) {
    if (count) known.counts[name] = count;
    else delete known.counts[name];
  }
}

/**
 * Note that nobody will tell what has become of a deployment that was going on; it is known of until `ended`.
 *
 * @param {HeadFacts} head @param {Object<string, string>} states @param {Object<string, Fact>} facts
 * @param {Vocabulary} vocabulary @param {number} ended
 */
function loseDeployment(head, states, facts, vocabulary, ended) {
  abandon(head.counts, vocabulary);
  Object.assign(head, { state: "lost", done: head.total, ended, left: null });
  for (const [key, state] of Object.entries(states)) {
    const word = vocabulary[state].left, fact = facts[key];
    if (!word) continue;
    states[key] = word;
    if (fact) facts[key] = { ...fact, word, ended: fact.started === null ? null : ended, error: "the kernel has ended" };
  }
}

export default hosted(DeploymentView, {
  ...GRAPH_HEARD,
  "change:_cancellable": (views) => { for (const view of views) view.showHead(); },
  "change:_head": (views, _model, memory) => {
    noteTime(memory);
    for (const view of views) view.showHead();
  },
  "change:_facts": (views) => { for (const view of views) view.refresh(view.nodes.keys()); },
  "change:_tail": (views) => { for (const view of views) view.showLines(); },
  "ended": (views, model, memory) => {
    /** @type {HeadFacts} */
    const head = model.get("_head");
    if (head.ended !== null) return;
    loseDeployment(head, model.get("_states"), model.get("_facts"), model.get("_vocabulary"), head.elapsed + sinceHeard(memory));
    for (const view of views) {
      view.refresh(view.nodes.keys());
      view.showHead();
      view.select();
    }
  },
  "msg:custom": (views, model, memory, { states = {}, facts = {}, head, tail, ...answers }) => {
    mergeStates(model, states);
    noteAnswers(views, model, memory, answers);
    mergeFacts(model.get("_facts"), facts);
    if (head) {
      mergeHead(model.get("_head"), head);
      noteTime(memory);
    }
    if (tail) mergeTail(model.get("_tail"), tail);
    const changed = new Set([...Object.keys(states), ...Object.keys(facts)]);
    for (const view of views) {
      if (changed.size) view.refreshSoon(changed);
      if (head) view.showHead();
      if (tail) view.showLines();
    }
  },
});
