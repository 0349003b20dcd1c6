// When each environment of a deployment began and ended: what went on at the same time, and what took longest.

/**
 * @typedef {{word: string, at: string, started: number | null, ended: number | null, attempt: number, error: string,
 *   bar: boolean}} Fact `word` where it is not the state's own; `bar` where it is worth one
 * @typedef {{name(key: string): string, state(key: string): State, stateName(key: string): string,
 *   took(fact: Fact): string, choose(key: string): void}} Known
 */

const FEWEST_BARS = 2; // one alone would tell nothing

/** The keys of what has a bar, in the order of beginning. */
function barred(/** @type {Object<string, Fact>} */ facts) {
  const begun = Object.entries(facts).filter(([, { started, bar }]) => bar && started !== null);
  return begun.sort(([, one], [, other]) => Number(one.started) - Number(other.started)).map(([key]) => key);
}

class Timeline {
  /** @param {Known} known what there is to know of an environment */
  constructor(known) {
    this.known = known;
    this.root = html("div", { class: "fnb-timeline", role: "list", "aria-label": "Timeline. Arrow keys move, Enter shows details.", hidden: "" });
    /** @type {Map<string, {row: HTMLElement, fact: Fact, took: Text, button: HTMLButtonElement}>} */
    this.drawn = new Map();
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  /** Show these facts; rows that are as they were stay, with the focus that is in them. */
  show(/** @type {Object<string, Fact>} */ facts) {
    const keys = barred(facts), kept = new Set(keys);
    for (const [key, { row }] of this.drawn) {
      if (kept.has(key)) continue;
      row.remove();
      this.drawn.delete(key);
    }
    let next = this.root.firstElementChild;
    for (const key of keys) {
      const row = this.row(key, facts[key]);
      if (row === next) next = row.nextElementSibling;
      else this.root.insertBefore(row, next);
    }
    this.root.hidden = keys.length < FEWEST_BARS;
    if (![...this.drawn.values()].some(({ button }) => button.tabIndex === 0)) this.rove(keys[0]);
  }

  /** Show the time that has passed. */
  tick(/** @type {number} */ elapsed) {
    this.root.style.setProperty("--span", String(Math.max(elapsed, 1e-3)));
    for (const { fact, took } of this.drawn.values()) if (fact.ended === null) took.say(this.known.took(fact));
  }

  row(/** @type {string} */ key, /** @type {Fact} */ fact) {
    const { known } = this, name = known.stateName(key), state = known.state(key);
    const { row, button, took } = this.drawn.get(key) ?? this.makeRow(key);
    const told = `${name} ${fact.started} ${fact.ended}`;
    if (row.dataset.told !== told) {
      const word = html("span", { class: "fnb-unseen" }, state.label);
      row.dataset.told = told;
      row.dataset.state = name;
      row.replaceChildren(badgeImage(state), button, word, drawTrack(state, Number(fact.started), fact.ended), took.span);
      took.say(known.took(fact));
    }
    this.drawn.set(key, { row, fact, took, button });
    return row;
  }

  makeRow(/** @type {string} */ key) {
    const name = this.known.name(key), named = button(name, () => this.known.choose(key), { tabindex: -1, title: name });
    named.addEventListener("focus", () => this.rove(key));
    return { row: html("div", { class: "fnb-timed", role: "listitem" }), button: named, took: new Text("fnb-took") };
  }

  key(/** @type {KeyboardEvent} */ event) {
    const buttons = [...this.root.querySelectorAll("button")], at = buttons.findIndex((button) => button === document.activeElement);
    /** @type {Object<string, number>} */
    const goals = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: buttons.length - 1 };
    if (at < 0 || !(event.key in goals) || !isOwnKey(event)) return;
    event.preventDefault();
    event.stopPropagation();
    buttons[Math.min(buttons.length - 1, Math.max(0, goals[event.key]))].focus();
  }

  /** Make this the one row that Tab reaches. */
  rove(/** @type {string | undefined} */ key) {
    for (const [other, { button }] of this.drawn) button.tabIndex = other === key ? 0 : -1;
  }
}
