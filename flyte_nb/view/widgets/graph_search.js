// Finding environments by name, image, description or state; also those that are inside a wave that is not open.

/** @typedef {{key: string, text: string}} Findable */

const FEW = 12; // so many can be overlooked at once

/** The keys of those that have every word of the query, in their order. */
function found(/** @type {Findable[]} */ all, /** @type {string} */ query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length ? all.filter(({ text }) => words.every((word) => text.includes(word))) : [];
}

class Search {
  /**
   * @param {() => Findable[]} all what can be found, as it is now @param {(key: string) => void} go to one of them
   * @param {() => void} told when the matches are others @param {{query?: string, current?: string}} memory
   */
  constructor(all, go, told, memory) {
    this.all = all;
    this.go = go;
    this.told = told;
    this.memory = memory;
    this.field = /** @type {HTMLInputElement} */ (html("input", { type: "search", placeholder: "Find environments  /", "aria-label": "Find environments by name, image, description or state", spellcheck: "false", autocomplete: "off" }));
    this.field.value = memory.query ?? "";
    this.count = html("span", { class: "fnb-found", role: "status" });
    const step = (/** @type {string} */ label, /** @type {string} */ text, /** @type {number} */ by) =>
      button(text, () => this.step(by), { "aria-label": label, title: label });
    this.steps = [step("Previous match", "↑", -1), step("Next match", "↓", 1)];
    this.root = html("div", { class: "fnb-search" }, this.field, this.count, ...this.steps);
    this.field.addEventListener("input", () => { memory.current = ""; this.look(); });
    /** @type {Findable[]} */
    this.matches = [];
    /** @type {Set<string>} */
    this.keys = new Set();
  }

  get query() { return this.field.value; }

  /** Look again: the query is another, or what there is. */
  look() {
    this.memory.query = this.query;
    this.matches = found(this.all(), this.query);
    this.keys = new Set(this.matches.map((match) => match.key));
    for (const step of this.steps) step.disabled = !this.matches.length;
    this.tell();
    this.told();
  }

  tell() {
    const at = this.matches.findIndex((match) => match.key === this.memory.current), count = this.matches.length;
    const told = !this.query.trim() ? "" : at < 0 ? `${number(count)} found` : `${number(at + 1)} of ${number(count)}`;
    if (this.count.textContent !== told) this.count.textContent = told;
    for (const element of [this.count, ...this.steps]) element.hidden = !told;
  }

  /** Go to the next match, or so many further. */
  step(/** @type {number} */ by) {
    const count = this.matches.length;
    if (!count) return;
    const at = this.matches.findIndex((match) => match.key === this.memory.current);
    const next = this.matches[at < 0 ? (by > 0 ? 0 : count - 1) : (at + by + count) % count];
    this.memory.current = next.key;
    this.tell();
    this.go(next.key);
  }

  clear() {
    this.field.value = "";
    this.memory.current = "";
    this.look();
  }
}
