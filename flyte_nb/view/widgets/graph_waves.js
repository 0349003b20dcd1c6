// What a picture that is summed up says of the environments it does not show.

class Waves {
  /** @param {Model} model @param {Card[]} cards what is shown */
  constructor(model, cards) {
    this.model = model;
    /** @type {[string, string, string][]} key, name and other words, in the order of waves, if the picture is summed up */
    this.index = model.get("_index");
    const shown = new Set(cards.map(({ key }) => key));
    /** @type {Map<string, string>} of each environment that is not shown by itself, the wave or part that stands for it */
    this.homes = new Map();
    // A part comes after the wave it is of, and has the last word.
    for (const { key, span } of cards) {
      if (span) for (const [member] of this.index.slice(...span)) if (!shown.has(member)) this.homes.set(member, key);
    }
    this.open = cards.filter(({ opened }) => opened);
  }

  get vocabulary() { return this.model.get("_vocabulary"); }

  /** How many of those a wave stands for are in each state; if it is open, of all it has. */
  counts(/** @type {Card} */ { key, span, opened }) {
    const members = this.index.slice(...(span ?? [0, 0])).map(([member]) => member).filter((member) => opened || this.homes.get(member) === key);
    return tallied(members.map((member) => this.model.get("_states")[member]));
  }

  /** The state of a wave that most needs attention. */
  stateName(/** @type {Card} */ card) {
    const counts = this.counts(card);
    return Object.keys(this.vocabulary).find((name) => counts[name]) ?? "defined";
  }

  /** What a wave stands for, in full and in a line that fits. */
  summary(/** @type {Card} */ card) {
    const counts = this.counts(card);
    const told = Object.keys(this.vocabulary).filter((name) => counts[name]).map((name) => `${number(counts[name])} ${this.vocabulary[name].label}`);
    const short = told.slice(0, 2).join(", ") + (told.length > 2 ? ", …" : "");
    return { full: told.join(", ") || card.sublabel, short: short || card.sublabel };
  }

  /**
   * What can be found, whether it is shown or not.
   *
   * @param {Card[]} cards @param {(card: Card) => string} remark tells what is said of a card beside its state
   * @returns {Findable[]}
   */
  findable(cards, remark) {
    const state = (/** @type {string} */ key) => this.vocabulary[this.model.get("_states")[key]]?.label;
    const made = (/** @type {string} */ key, /** @type {string[]} */ ...words) => ({ key, text: [...words, state(key)].join(" ").toLowerCase() });
    if (this.index.length) return this.index.map((row) => made(...row));
    return cards.map((card) => {
      const description = card.details.filter(([term]) => term === "description").map(([, told]) => told);
      return made(card.key, card.name, remark(card), ...description);
    });
  }
}

/** How often each state occurs. */
function tallied(/** @type {string[]} */ states) {
  /** @type {Object<string, number>} */
  const counts = {};
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
