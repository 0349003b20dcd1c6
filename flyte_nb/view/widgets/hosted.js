// What the live views share; Python puts it and grip.js in front of the module of each. No text is ever parsed as
// markup: it goes through textContent and setAttribute alone.

/**
 * @typedef {{label: string, mark: string, light: string, dark: string, filled: boolean, loud: boolean, worded: boolean,
 *   ending: boolean, left: string}} State
 * @typedef {Object<string, State>} Vocabulary by name, from what needs a person's attention to what does not
 * @typedef {{get(name: string): any, set(name: string, value: any): void, send(content: any): void,
 *   on(event: string, f: Function): void, off(event: string, f: Function): void, widget_manager?: any}} Model
 * @typedef {{root: HTMLElement, remove(): void, placed?(parent: HTMLElement): void}} View `placed` is called when it was
 *   moved to another place
 */

const WATCH = 1000; // milliseconds between looks at whether the kernel has ended
const RESYNC = 5000; // milliseconds after which everything is asked for again
const SVG = "http://www.w3.org/2000/svg";

/** @returns {SVGElement} */
const draw = (/** @type {string} */ tag, attributes = {}, /** @type {(Node | string)[]} */ ...children) =>
  fill(/** @type {SVGElement} */ (document.createElementNS(SVG, tag)), attributes, children);

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Object<string, string | number>} attributes @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/**
 * @template {Element} E
 * @param {E} element @param {Object<string, string | number>} attributes @param {(Node | string)[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children); // strings become text nodes
  return element;
}

const number = (/** @type {number} */ count) => count.toLocaleString("en");

/** A button that does something when it is pressed; its title, where its text says little, is its name as well. */
function button(/** @type {string} */ text, /** @type {() => void} */ act, attributes = {}) {
  const made = html("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** Pairs of a term and what is told of it, as they stand in a list. */
function pairs(/** @type {[string, string | Node][]} */ told) {
  return told.flatMap(([term, what]) => [html("dt", {}, term), html("dd", {}, what)]);
}

/** Tell the kernel something; one that has ended or was restarted hears nothing, and the page goes on without it. */
function tell(/** @type {Model} */ model, /** @type {object} */ content) {
  try { model.send(content); } catch { /* the way to the kernel is closed */ }
}

/**
 * Change what is chosen on this page, and tell the kernel in a message of its own: a change of state that is saved while
 * a cell runs gets no answer, and those after it would be held back.
 */
function choose(/** @type {Model} */ model, /** @type {string} */ name, /** @type {string} */ value) {
  model.set(name, value);
  tell(model, { chosen: { [name]: value } });
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

/** The kernel of a model, where the front end tells: there a kernel that was shut down is null, or says that it is dead. */
function kernelOf(/** @type {Model} */ { widget_manager: manager }) {
  if (!manager || !("kernel" in manager)) return { id: "", ended: false };
  const { kernel } = manager;
  return { id: kernel?.id, ended: !kernel || kernel.isDisposed || kernel.status === "dead" };
}

/** Call `react` once when the kernel of a model has ended; returns the clean-up. */
function whenEnded(/** @type {Model} */ model, /** @type {() => void} */ react) {
  const { id } = kernelOf(model);
  const end = () => { stop(); react(); };
  const look = () => { const now = kernelOf(model); if (now.ended || now.id !== id) end(); };
  const watch = setInterval(look, WATCH);
  const stop = () => { clearInterval(watch); model.off("comm_live_update", end); };
  model.on("comm_live_update", end); // was restarted: of nothing else do models hear
  return stop;
}

/**
 * Have a view over everything that is still and has this host's class, now and later. A view whose place is replaced moves
 * to the new one, as it is.
 *
 * @template {View} V
 * @param {string} host @param {(parent: HTMLElement) => V} mount @param {(view: V) => void} unmount
 * @returns {{leave: () => void, settle: () => void}} `settle` is for what changes no more: it leaves when there is no
 *   place any longer.
 */
function haunt(host, mount, unmount) {
  /** @type {HTMLCollectionOf<HTMLElement>} */
  const places = /** @type {any} */ (document.getElementsByClassName(host)); // live
  /** @type {Map<HTMLElement, V | undefined>} by place; none where it cannot be drawn */
  const mounted = new Map();
  const grip = new Grip((node) => node instanceof Node && [...mounted.keys()].some((place) => place.contains(node)));
  const show = (/** @type {HTMLElement} */ place, /** @type {View | undefined} */ view, /** @type {boolean} */ still) => {
    for (const child of place.children) if (child !== view?.root) /** @type {HTMLElement} */ (child).style.display = still ? "" : "none";
  };
  const leave = (/** @type {HTMLElement} */ place) => {
    const view = mounted.get(place);
    mounted.delete(place);
    if (view) unmount(view);
    show(place, view, true);
  };
  const enter = (/** @type {HTMLElement} */ place) => {
    const stills = new Set(place.children);
    mounted.set(place, undefined); // what is mounted is seen by the observer, too
    try {
      const view = mount(place);
      mounted.set(place, view);
      show(place, view, false);
      grip.restore(place);
    } catch (error) { // the still is there, and the page goes on
      for (const child of [...place.children]) if (!stills.has(child)) child.remove();
      console.error("flyte_nb: a live view cannot be drawn", error);
    }
  };
  const move = (/** @type {HTMLElement} */ from, /** @type {HTMLElement} */ to) => {
    const view = mounted.get(from);
    mounted.delete(from);
    mounted.set(to, view);
    if (!view) return;
    to.append(view.root);
    show(to, view, false);
    view.placed?.(to);
    grip.restore(to);
  };
  let settled = false;
  const look = () => {
    const left = [...mounted.keys()].filter((place) => !place.isConnected);
    for (const place of places) {
      if (mounted.has(place)) continue;
      const from = left.shift();
      if (from) move(from, place);
      else enter(place);
    }
    for (const place of left) leave(place);
    if (settled && !mounted.size) end();
  };
  const observer = new MutationObserver(look);
  const end = () => { observer.disconnect(); grip.end(); for (const place of [...mounted.keys()]) leave(place); };
  observer.observe(document.body, { childList: true, subtree: true });
  look();
  return { leave: end, settle: () => { settled = true; look(); } };
}

/** Note the number of a message; if some before it were lost on the way, ask for everything: servers drop what is too much. */
function follow(/** @type {Model} */ model, /** @type {{askedAt?: number}} */ way, /** @type {number} */ number) {
  const news = model.get("_news");
  if (number === news.last + 1) { news.last = number; return; }
  const now = performance.now();
  if (now < (way.askedAt ?? -RESYNC) + RESYNC) return;
  way.askedAt = now;
  tell(model, { everything: true });
}

/**
 * What anywidget asks of a module: a factory, because `model` is another proxy in initialize and in render, and what
 * they share is here.
 *
 * @template {View} V
 * @param {new (model: Model, parent: HTMLElement, memory: any) => V} View draws a model in a place, of which there can be
 *   several: an output can be shown twice. `memory` outlives it.
 * @param {{[event: string]: (views: Set<V>, model: Model, memory: any, content: any) => void}} heard by event, of which
 *   "ended" is that the kernel has ended.
 */
const hosted = (View, heard) => () => {
  /** @type {Set<V>} */
  const views = new Set();
  /** @type {{ended?: boolean}} */
  const memory = {};
  const way = {};
  const add = (/** @type {Model} */ model, /** @type {HTMLElement} */ parent) => {
    const view = new View(model, parent, memory);
    views.add(view);
    return view;
  };
  const drop = (/** @type {V} */ view) => { views.delete(view); view.remove(); };
  return {
    /** @param {{model: Model}} context */
    initialize({ model }) {
      const { ended, ...events } = heard;
      const reactions = Object.entries(events).map(([event, react]) => {
        const reaction = (/** @type {any} */ content) => {
          if (event === "msg:custom") follow(model, way, content.n);
          react(views, model, memory, content);
        };
        model.on(event, reaction);
        return { event, reaction };
      });
      const { leave, settle } = haunt(model.get("_host"), (parent) => add(model, parent), drop);
      const stop = whenEnded(model, () => {
        memory.ended = true;
        ended?.(views, model, memory, undefined);
        settle();
      });
      return () => {
        stop();
        leave();
        for (const { event, reaction } of reactions) model.off(event, reaction);
      };
    },
    /** @param {{model: Model, el: HTMLElement}} context */
    render({ model, el }) {
      const view = add(model, el);
      return () => drop(view);
    },
  };
};
