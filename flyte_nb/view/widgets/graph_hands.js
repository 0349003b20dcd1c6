// What people do with a graph: by pointer and by keyboard.

const HOVER = 70; // milliseconds; who only passes over a node does not ask for its ways

/** The key of the node that an element is of, if it is of any. @returns {string | undefined} */
function keyAt(/** @type {Element | null} */ element) {
  return /** @type {SVGElement | null | undefined} */ (element?.closest(".fnb-node"))?.dataset.key;
}

/**
 * The key of the closest card in a direction; off the axis counts double.
 *
 * @param {Card[]} cards @param {Card} from @param {number} dx @param {number} dy
 */
function nearest(cards, from, dx, dy) {
  let best = from.key, least = Infinity;
  for (const card of cards) {
    const ahead = (card.x - from.x) * dx + (card.y - from.y) * dy;
    const aside = Math.abs((card.x - from.x) * dy) + Math.abs((card.y - from.y) * dx);
    if (ahead > 0 && ahead + 2 * aside < least) [best, least] = [card.key, ahead + 2 * aside];
  }
  return best;
}

class Hands {
  /** @param {GraphView} graph */
  constructor(graph) {
    this.graph = graph;
    const { view, root } = graph;
    const keyOf = (/** @type {Event} */ event) => keyAt(/** @type {Element} */ (event.target));
    view.addEventListener("click", (event) => {
      const key = keyOf(event);
      if (key) graph.act(key);
      else graph.choose("");
      if (key) graph.rove(key, true);
    });
    view.addEventListener("pointerover", (event) => this.hover(keyOf(event) ?? ""));
    view.addEventListener("pointerleave", () => this.hover(""));
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", (event) => {
      graph.rove(keyOf(event));
      graph.lightUp();
    });
    root.addEventListener("focusout", () => setTimeout(() => graph.lightUp()));
  }

  rest() { clearTimeout(this.hovering); }

  hover(/** @type {string} */ key) {
    clearTimeout(this.hovering);
    this.hovering = setTimeout(() => {
      this.graph.hovered = key;
      this.graph.lightUp();
    }, HOVER);
  }

  key(/** @type {KeyboardEvent} */ event) {
    const { search } = this.graph, typing = event.target === search.field;
    if (!isOwnKey(event)) return;
    this.graph.hovered = ""; // who uses the keyboard looks where that is
    const finds = !search.root.hidden && ((event.key === "/" && !typing) || (event.key === "f" && (event.ctrlKey || event.metaKey)));
    const act = finds ? () => search.field.select() : typing ? this.onField(event) : this.onPicture(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** What a key does while somebody types what to find. @returns {(() => void) | undefined} */
  onField(/** @type {KeyboardEvent} */ event) {
    const { graph, graph: { search } } = this;
    const here = () => graph.rove(graph.nodes.has(graph.memory.current) ? graph.memory.current : graph.scene.cards[0]?.key, true);
    return {
      Enter: () => search.step(event.shiftKey ? -1 : 1),
      ArrowDown: here,
      Escape: () => { here(); search.clear(); },
    }[event.key];
  }

  /** @returns {(() => void) | undefined} */
  onPicture(/** @type {KeyboardEvent} */ event) {
    const { graph, graph: { camera, scene, selected } } = this;
    const key = keyAt(/** @type {Element} */ (event.target)), card = key && graph.cards.get(key);
    const go = (/** @type {string | undefined} */ other) => () => graph.rove(other, true);
    /** @type {Object<string, () => void>} */
    const anywhere = {
      Escape: () => {
        if (!selected) return goToCell(graph.root);
        graph.choose("");
        graph.rove(selected, true);
      },
      "+": () => camera.zoom(ZOOM_STEP), "-": () => camera.zoom(1 / ZOOM_STEP), 0: () => camera.fit(0), 1: () => camera.fit(WHOLE),
    };
    if (!key || !card || event.key in anywhere) return anywhere[event.key];
    const act = () => graph.act(key);
    const move = (/** @type {number} */ dx, /** @type {number} */ dy) => () => graph.rove(nearest(scene.cards, card, dx, dy), true);
    /** @type {Object<string, () => void>} */
    const onNode = {
      Enter: act, " ": act, Home: go(scene.cards[0]?.key), End: go(scene.cards.at(-1)?.key),
      ArrowRight: move(1, 0), ArrowLeft: move(-1, 0), ArrowDown: move(0, 1), ArrowUp: move(0, -1),
    };
    return onNode[event.key];
  }
}
