// How large a graph is and which part of it is seen: zoom, fit, drag.

const ZOOM_STEP = 1.25, SMALLEST = 0.04, LARGEST = 3;
const LEGIBLE = 0.8; // below this scale text cannot be read: a picture that large scrolls instead
const FAR = 0.5, FARTHEST = 0.3; // below these scales details, and names, only blur what can be told from afar
const WHOLE = "whole";

/**
 * The scale at which a picture is seen.
 *
 * @param {number | string | undefined} wanted a scale; 0 fits the width as far as it stays legible, "whole" the picture
 * @param {{width: number, height: number}} picture @param {number} room how wide it can be, in pixels
 * @param {number} highest how high it can be
 */
function fitted(wanted, { width, height }, room, highest) {
  if (wanted === WHOLE) return Math.max(SMALLEST, Math.min(1, room / width, highest / height));
  return Number(wanted) || Math.min(1, Math.max(LEGIBLE, room / width));
}

/** A scale that is a factor larger or smaller, within bounds. */
const zoomed = (/** @type {number} */ scale, /** @type {number} */ factor) => Math.min(LARGEST, Math.max(SMALLEST, scale * factor));

/** How far to scroll so that what is seen at a point stays there when all becomes larger by a ratio. */
const scrolledAround = (/** @type {number} */ scrolled, /** @type {number} */ at, /** @type {number} */ ratio) => (scrolled + at) * ratio - at;

class Camera {
  /**
   * @param {HTMLElement} view the window through which the picture is seen @param {() => number} room how wide it can be
   * @param {{scale?: number | string, scrolled?: [number, number]}} memory 0 fits the width, "whole" the picture
   */
  constructor(view, room, memory) {
    this.view = view;
    this.room = room;
    this.memory = memory;
    memory.scale ??= 0;
    this.applied = 1;
    /** @type {SVGElement | undefined} */
    this.picture = undefined;
    this.scene = { width: 1, height: 1 };
    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // a plain wheel scrolls, as everywhere
      event.preventDefault();
      const frame = view.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * 0.002), event.clientX - frame.left, event.clientY - frame.top);
    }, { passive: false });
    view.addEventListener("scroll", () => { memory.scrolled = [view.scrollLeft, view.scrollTop]; });
    this.drag();
  }

  /** The buttons. */
  tools() {
    const tool = (/** @type {string} */ label, /** @type {string} */ text, /** @type {() => void} */ act) =>
      button(text, act, { "aria-label": label, title: label });
    return [
      tool("Zoom out", "−", () => this.zoom(1 / ZOOM_STEP)), tool("Zoom in", "+", () => this.zoom(ZOOM_STEP)),
      tool("Fit to width", "↔", () => this.fit(0)), tool("Fit to view", "fit", () => this.fit(WHOLE)),
    ];
  }

  /** What is seen from now on. */
  look(/** @type {SVGElement} */ picture, /** @type {{width: number, height: number}} */ scene) {
    this.picture = picture;
    this.scene = scene;
    this.resize();
  }

  /** Scale by a factor, around a point of the view or its middle. */
  zoom(/** @type {number} */ factor, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2) {
    const before = this.applied, { view } = this;
    this.memory.scale = zoomed(before, factor);
    this.resize();
    view.scrollLeft = scrolledAround(view.scrollLeft, x, this.applied / before);
    view.scrollTop = scrolledAround(view.scrollTop, y, this.applied / before);
  }

  fit(/** @type {number | string} */ scale) {
    this.memory.scale = scale;
    this.resize();
  }

  resize() {
    const room = this.room();
    if (room <= 0 || !this.picture) return; // not shown yet; who observes the size calls again
    this.applied = fitted(this.memory.scale, this.scene, room, this.highest());
    this.picture.style.width = `${this.scene.width * this.applied}px`;
    this.picture.classList.toggle("fnb-far", this.applied < FAR);
    this.picture.classList.toggle("fnb-farthest", this.applied < FARTHEST);
  }

  /** How high the view can become, in pixels. */
  highest() { return parseFloat(getComputedStyle(this.view).maxHeight) || this.view.clientHeight; }

  /** Where to look first: the corner of a tall picture is far above the first of its nodes. */
  begin(/** @type {{y: number} | undefined} */ first, /** @type {number} */ height) {
    const middle = first ? (first.y + height / 2) * this.applied : 0;
    this.view.scrollTo(...(this.memory.scrolled ?? [0, Math.max(0, middle - this.view.clientHeight / 2)]));
  }

  /** Bring a node into the middle of the view, and of the page if it is outside; at a scale at which it can be read. */
  center(/** @type {Element} */ node, /** @type {{x: number, y: number}} */ card, /** @type {{width: number, height: number}} */ box) {
    if (this.applied < LEGIBLE) {
      this.memory.scale = 1;
      this.resize();
    }
    const { view } = this, left = (card.x + box.width / 2) * this.applied, top = (card.y + box.height / 2) * this.applied;
    view.scrollTo(left - view.clientWidth / 2, top - view.clientHeight / 2);
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  drag() {
    const { view } = this;
    /** @type {{x: number, y: number, left: number, top: number} | null} */
    let start = null;
    view.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType === "mouse") start = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
    });
    view.addEventListener("pointermove", (event) => {
      if (!start || !event.buttons) { start = null; return; }
      const dx = event.clientX - start.x, dy = event.clientY - start.y;
      if (!view.classList.contains("fnb-dragged") && Math.hypot(dx, dy) < 4) return;
      view.classList.add("fnb-dragged");
      view.setPointerCapture(event.pointerId);
      view.scrollTo(start.left - dx, start.top - dy);
    });
    const stop = () => { start = null; setTimeout(() => view.classList.remove("fnb-dragged")); };
    for (const type of ["pointerup", "pointercancel"]) view.addEventListener(type, stop);
    // The click that ends a drag selects nothing.
    view.addEventListener("click", (event) => { if (view.classList.contains("fnb-dragged")) event.stopImmediatePropagation(); }, { capture: true });
  }
}
