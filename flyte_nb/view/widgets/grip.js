// What a person holds in a view, by the keyboard's focus, by a pressed button, by what is selected or how far it is
// scrolled. Front ends replace the place of a view whenever its output is updated, and browsers then lose all of that.

const HELD = "button, input, [tabindex]";
const STILL = 5; // pixels; who moves further than this has dragged

/** What names the same thing in every drawing of it; "" for what cannot be held. */
function likeness(/** @type {EventTarget | null} */ at) {
  if (!(at instanceof Element)) return "";
  const held = at.closest(HELD), keyed = /** @type {HTMLElement | SVGElement | null} */ (at.closest("[data-key]"));
  if (!held && !keyed) return "";
  const name = held === keyed ? "" : held?.getAttribute("aria-label") ?? held?.textContent ?? "";
  return [held?.tagName, keyed?.dataset.key, name].join("\n");
}

/** Whether a key is for the view in which it is pressed, rather than one of the front end's shortcuts: Ctrl+S saves there, too. */
function isOwnKey(/** @type {KeyboardEvent} */ { target, key, shiftKey, ctrlKey, metaKey, altKey }) {
  const chord = ctrlKey || metaKey, at = /** @type {Element} */ (target);
  if (at.matches("input")) return !(chord && key === "s");
  if (chord && key === "f") return Boolean(at.closest(".fnb-live")?.querySelector(".fnb-search:not([hidden])"));
  return !chord && !altKey && !(shiftKey && key === "Enter");
}

/** Go back to the notebook, where the cell of a view can have the focus. */
function goToCell(/** @type {Element} */ root) { /** @type {HTMLElement | null} */ (root.closest(".jp-Cell"))?.focus(); }

class Grip {
  /** @param {(node: EventTarget | null) => boolean} isOurs says whether something is in the views, wherever they are */
  constructor(isOurs) {
    this.isOurs = isOurs;
    this.focused = "";
    /** @type {{element: Element, likeness: string, x: number, y: number, moved?: boolean} | undefined} */
    this.pressed = undefined;
    /** @type {[Node, number, Node, number] | undefined} */
    this.selected = undefined;
    /** @type {Map<Element, [number, number]>} */
    this.scrolled = new Map();
    this.finished = false;
    /** @type {Object<string, (event: any) => void>} */
    this.ears = {
      focusin: ({ target }) => { this.focused = isOurs(target) ? likeness(target) : ""; },
      focusout: ({ target }) => setTimeout(() => this.release(target)),
      keydown: (event) => { if (isOurs(event.target)) this.claim(event); },
      pointerdown: (event) => this.press(event),
      pointerup: (event) => this.finish(event),
      selectionchange: () => { this.selected = this.selection(); },
      scroll: ({ target }) => { if (target instanceof Element && isOurs(target)) this.scrolled.set(target, [target.scrollLeft, target.scrollTop]); },
      click: (event) => { if (this.finished && event.isTrusted) event.stopImmediatePropagation(); },
    };
    for (const [name, ear] of Object.entries(this.ears)) window.addEventListener(name, ear, true);
  }

  end() { for (const [name, ear] of Object.entries(this.ears)) window.removeEventListener(name, ear, true); }

  /** Forget the focus that somebody has taken away; what was removed from the page is to have it again. */
  release(/** @type {Element} */ element) {
    if (element.isConnected && element !== document.activeElement && likeness(element) === this.focused) this.focused = "";
  }

  /** Have Lumino, which may hear keys before the view does, leave to it those that are its own: it looks at the target. */
  claim(/** @type {KeyboardEvent} */ event) {
    /** @type {Element} */ (event.target).toggleAttribute("data-lm-suppress-shortcuts", isOwnKey(event));
  }

  press(/** @type {PointerEvent} */ { target, button, clientX: x, clientY: y }) {
    const like = button === 0 && this.isOurs(target) ? likeness(target) : "";
    this.pressed = like ? { element: /** @type {Element} */ (target), likeness: like, x, y } : undefined;
  }

  /** Click on what was pressed if it was moved or drawn anew since: what browsers then tell of, if of anything, is around it. */
  finish(/** @type {PointerEvent} */ { target, clientX, clientY }) {
    const { pressed } = this;
    this.pressed = undefined;
    const lasted = pressed?.element.isConnected && !pressed.moved;
    if (!pressed || lasted || !this.isOurs(target) || likeness(target) !== pressed.likeness) return;
    if (Math.hypot(clientX - pressed.x, clientY - pressed.y) > STILL) return;
    this.finished = true;
    setTimeout(() => { this.finished = false; });
    target?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, clientX, clientY }));
  }

  /** What is selected with both ends in the views. @returns {[Node, number, Node, number] | undefined} */
  selection() {
    const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed = true } = getSelection() ?? {};
    if (isCollapsed || !anchorNode || !focusNode || !this.isOurs(anchorNode) || !this.isOurs(focusNode)) return undefined;
    return [anchorNode, anchorOffset ?? 0, focusNode, focusOffset ?? 0];
  }

  /** Give back what a person held, in a view that is new or has another place. */
  restore(/** @type {Element} */ place) {
    if (this.pressed && place.contains(this.pressed.element)) this.pressed.moved = true;
    for (const [element, [left, top]] of this.scrolled) {
      if (!element.isConnected) this.scrolled.delete(element);
      else if (place.contains(element)) element.scrollTo({ left, top, behavior: "instant" });
    }
    if (this.selected && place.contains(this.selected[0])) getSelection()?.setBaseAndExtent(...this.selected);
    this.refocus(place);
  }

  refocus(/** @type {Element} */ drawing) {
    if (!this.focused || document.activeElement !== document.body) return;
    const held = [...drawing.querySelectorAll(HELD)].find((element) => likeness(element) === this.focused);
    if (held) /** @type {HTMLElement | SVGElement} */ (held).focus({ preventScroll: true });
    else this.focused = "";
  }
}
