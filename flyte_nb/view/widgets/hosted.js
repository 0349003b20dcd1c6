// What the live views share; Python puts it in front of the module of each. No text is ever parsed as markup: it goes
// through textContent and setAttribute alone.

/**
 * @typedef {{label: string, mark: string, light: string, dark: string, filled: boolean}} State
 * @typedef {{get(name: string): any, set(name: string, value: any): void, send(content: any): void,
 *   on(event: string, f: Function): void, off(event: string, f: Function): void}} Model
 * @typedef {{remove(): void}} View
 */

const SVG = "http://www.w3.org/2000/svg";

/** @returns {SVGElement} */
const draw = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
/** @returns {HTMLElement} */
const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children); // strings become text nodes
  return element;
}

/**
 * Change what is chosen on this page, and tell the kernel in a message of its own: a change of state that is saved while
 * a cell runs gets no answer, and those after it would be held back.
 */
function choose(/** @type {Model} */ model, name, value) {
  model.set(name, value);
  model.send({ chosen: { [name]: value } });
}

/** A small round mark that tells a state by shape as well as by colour. */
function badge(/** @type {State} */ state) {
  return [draw("circle", { class: "fnb-disc", r: 8.5 }), draw("path", { class: "fnb-mark", d: state.mark })];
}

function paint(/** @type {Element & ElementCSSInlineStyle} */ element, /** @type {State} */ state) {
  element.classList.add("fnb-tone");
  element.classList.toggle("fnb-loud", state.filled);
  element.style.setProperty("--light", state.light);
  element.style.setProperty("--dark", state.dark);
}

function badgeImage(/** @type {State} */ state) {
  const image = draw("svg", { class: "fnb-badge", viewBox: "-9.5 -9.5 19 19", "aria-hidden": "true" }, ...badge(state));
  paint(image, state);
  return image;
}

/** Mount a view over everything that is still and has this host's class, now and later; returns the clean-up. */
function haunt(/** @type {string} */ host, /** @type {(parent: HTMLElement) => () => void} */ mount) {
  const places = document.getElementsByClassName(host); // live
  /** @type {Map<HTMLElement, () => void>} */
  const mounted = new Map();
  const leave = (place) => { mounted.get(place)(); mounted.delete(place); };
  const look = () => {
    for (const place of [...mounted.keys()]) if (!place.isConnected) leave(place);
    for (const place of places) {
      if (mounted.has(place)) continue;
      const stills = [...place.children];
      const remove = mount(place);
      for (const still of stills) still.style.display = "none";
      mounted.set(place, () => { remove(); for (const still of stills) still.style.display = ""; });
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  look();
  return () => { observer.disconnect(); for (const place of [...mounted.keys()]) leave(place); };
}

/**
 * What anywidget asks of a module: a factory, because `model` is another proxy in initialize and in render, and what
 * they share is here.
 *
 * @param {new (model: Model, parent: HTMLElement, memory: object) => View} View draws a model in a place, of which there
 *   can be several: an output can be shown twice. `memory` outlives it: a place is replaced when its output is updated.
 * @param {Object<string, (views: Set<View>, model: Model, memory: object, content: any) => void>} heard by event.
 */
const hosted = (View, heard) => () => {
  /** @type {Set<View>} */
  const views = new Set();
  const memory = {};
  const add = (model, parent) => {
    const view = new View(model, parent, memory);
    views.add(view);
    return () => { views.delete(view); view.remove(); };
  };
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      const reactions = Object.entries(heard).map(([event, react]) => [event, (content) => react(views, model, memory, content)]);
      for (const [event, react] of reactions) model.on(event, react);
      const host = model.get("_host");
      const leave = host ? haunt(host, (parent) => add(model, parent)) : () => {};
      return () => {
        leave();
        for (const [event, react] of reactions) model.off(event, react);
      };
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) { return add(model, el); },
  };
};
