// The last lines of what is open: Python sends those that are new.

/** @typedef {{key: string, first: number, lines: [string, string][]}} Tail */

/** Bring the lines that the page knows up to date, in place. */
function mergeTail(/** @type {Tail} */ known, /** @type {Tail & {at: number}} */ tail) {
  const kept = known.key === tail.key ? known.lines : [];
  const before = kept.slice(Math.max(0, tail.first - known.first), Math.max(0, tail.at - known.first));
  Object.assign(known, { key: tail.key, first: tail.first, lines: [...before, ...tail.lines] });
}

class Log {
  constructor(/** @type {string} */ label) {
    this.note = html("div", { class: "fnb-log-note" });
    this.box = html("div", { class: "fnb-log", tabindex: 0, role: "log", "aria-label": label });
    this.parts = [this.note, this.box];
  }

  /** Show the lines of `key`, of which there are `count`; Python may be too busy to tell any but the last. */
  show(/** @type {Tail} */ tail, key, count, lastLine) {
    const known = tail.key === key ? tail.lines : [], lines = counted(count, "line");
    this.box.hidden = !known.length;
    this.note.hidden = !count;
    const which = known.length < count ? `last ${number(known.length)} of ${lines}` : lines;
    this.note.textContent = known.length ? which : `${lines}: ${lastLine}`;
    const { scrollTop, scrollHeight, clientHeight } = this.box, follow = scrollHeight - scrollTop - clientHeight < 24;
    this.box.replaceChildren(...known.map(([stream, text]) => {
      const line = html("div", { class: stream === "stdout" ? "fnb-line" : "fnb-line fnb-aside" });
      if (stream !== "stdout") line.append(span("fnb-stream", stream), " ");
      line.append(text || "\u00a0");
      return line;
    }));
    this.box.scrollTop = follow ? this.box.scrollHeight : scrollTop;
  }
}
