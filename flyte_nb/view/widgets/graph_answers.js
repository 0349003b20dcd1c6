// What the kernel sends a graph beside the states of its environments.

/** @typedef {{_scene?: Partial<Scene>, _index?: [string, string, string][], _states?: Object<string, string>}} Patch */

/** Take in what of the scene, the rows of the index and the states are others than before: in place, as in Python. */
function applyPatch(/** @type {Model} */ model, /** @type {Patch} */ { _scene = {}, _index: rows = [], _states: states = {} }) {
  const scene = model.get("_scene"), index = model.get("_index"), { cards = [], ...others } = _scene;
  Object.assign(scene, others);
  const newCards = new Map(cards.map((card) => [card.key, card])), newRows = new Map(rows.map((row) => [row[0], row]));
  scene.cards = scene.cards.map((/** @type {Card} */ card) => newCards.get(card.key) ?? card);
  for (const [at, row] of index.entries()) index[at] = newRows.get(row[0]) ?? row;
  mergeStates(model, states);
}

/**
 * Take in what the kernel answers to what a page has asked or chosen, and what is other than before.
 *
 * @param {Iterable<GraphView>} views @param {Model} model @param {any} memory
 * @param {{about?: About, answered?: boolean, outdated?: boolean, patch?: Patch}} answers
 */
function noteAnswers(views, model, memory, { about, answered, outdated, patch }) {
  if (about) memory.about = about;
  if (patch) {
    applyPatch(model, patch);
  }
  if (patch || outdated) memory.asked = "";
  for (const view of views) {
    if (patch) view.redraw();
    if (about && about.key === view.selected) view.select();
    if (outdated && !view.details.hidden) view.inquire(view.selected);
    if (answered) {
      view.requests.answered();
      view.requests.show(); // what is drawn may be the same
    }
  }
}
