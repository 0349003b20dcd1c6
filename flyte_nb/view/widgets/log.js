// The last lines of what is open: Python sends those that are new.

/** @typedef {{key: string, first: number, lines: [string, string][]}} Tail */

/** Bring the lines that the page knows up to date, in place. */
function mergeTail(/** @type {Tail} */ known, /** @type {Tail & {at: number}} */ tail) {
  const kept = known.key === tail.key ? known.lines : [];
  const before = kept.slice(Math.max(0, tail.first - known.first), Math.max(0, tail.at - known.first));
  Object.assign(known, { key: tail.key, first: tail.first, lines: [...before, ...tail.lines] });
}

class Log {
  /** @param {string} label @param {{log?: {key: string, top: number}}} memory Outlives this drawing of the log. */
  constructor(label, memory = {}) {
    this.memory = memory;
    this.note = html("div", { class: "fnb-log-note" });
    this.box = html("div", { class: "fnb-log", tabindex: 0, role: "log", "aria-label": label });
    this.box.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.box;
      // Who reads its end sees what is added; who reads elsewhere is left there.
      this.memory.log = scrollHeight - scrollTop - clientHeight < 24 ? undefined : { key: this.key, top: scrollTop };
    });
    this.parts = [this.note, this.box];
  }

  /** Show the lines of `key`, of which there are `count`; Python may be too busy to tell any but the last. */
  show(/** @type {Tail} */ tail, key, count, lastLine) {
    const known = tail.key === key ? tail.lines : [], lines = counted(count, "line");
    this.box.hidden = !known.length;
    this.note.hidden = !count;
    const which = known.length < count ? `last ${number(known.length)} of ${lines}` : lines;
    this.note.textContent = known.length ? which : `${lines}: ${lastLine}`;
    this.key = key;
    this.box.replaceChildren(...known.map(([stream, text]) => {
      const line = html("div", { class: stream === "stdout" ? "fnb-line" : "fnb-line fnb-aside" });
      if (stream !== "stdout") line.append(span("fnb-stream", stream), " ");
      line.append(text || "\u00a0");
      return line;
    }));
    this.box.scrollTop = this.memory.log?.key === key ? this.memory.log.top : this.box.scrollHeight;
  }
}
