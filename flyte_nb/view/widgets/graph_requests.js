// What only the kernel can draw is asked of it; while it is busy, that is said.

const UNANSWERED = 1500; // milliseconds until it is said why nothing opens

class Requests {
  /** @param {Model} model @param {HTMLElement} root shows that something is awaited */
  constructor(model, root) {
    this.model = model;
    this.root = root;
    this.note = html("span", { class: "fnb-busy", role: "status" });
    this.calls = button("calls", () => this.ask("_with_calls", !model.get("_with_calls")), {
      title: "Show which environments have called which while they ran",
    });
    this.closeAll = button("close all", () => {
      this.ask("_stepped", "");
      this.ask("_opened", []);
    }, { title: "Close every wave" });
    this.parts = [this.note, this.calls, this.closeAll];
  }

  /** Choose what only the kernel can draw. */
  ask(/** @type {string} */ name, /** @type {any} */ value) {
    if (JSON.stringify(this.model.get(name)) === JSON.stringify(value)) return; // nobody would answer
    choose(this.model, name, value);
    clearTimeout(this.waiting);
    this.root.classList.add("fnb-asking");
    this.waiting = setTimeout(() => { this.note.textContent = "The kernel is busy, or has ended."; }, UNANSWERED);
  }

  answered() {
    clearTimeout(this.waiting);
    this.root.classList.remove("fnb-asking");
    this.note.textContent = "";
  }

  /** Show the buttons there is something for. */
  show() {
    this.calls.hidden = !this.model.get("_tells_calls");
    this.calls.setAttribute("aria-pressed", String(this.model.get("_with_calls")));
    this.closeAll.hidden = !(this.model.get("_opened").length || this.model.get("_stepped"));
  }
}
