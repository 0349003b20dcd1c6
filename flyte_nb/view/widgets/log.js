// The last lines of what is open: Python sends those that are new.

/**
 * @typedef {[stream: string, text: string]} LogLine
 * @typedef {{key: string, first: number, lines: LogLine[]}} Tail
 * @typedef {{log?: {key: string, top: number}}} LogMemory
 */

/** Bring the lines that the page knows up to date, in place. */
function mergeTail(/** @type {Tail} */ known, /** @type {Tail & {at: number}} */ tail) {
  const kept = known.key === tail.key ? known.lines : [];
  const before = kept.slice(Math.max(0, tail.first - known.first), Math.max(0, tail.at - known.first));
  Object.assign(known, { key: tail.key, first: tail.first, lines: [...before, ...tail.lines] });
}

/** How many lines there are, and how many of them are shown; Python may be too busy to tell any but the last. */
function lineCount(/** @type {number} */ shown, /** @type {number} */ count, /** @type {string} */ lastLine) {
  const lines = counted(count, "line");
  if (!shown) return `${lines}: ${lastLine}`;
  return shown < count ? `last ${number(shown)} of ${lines}` : lines;
}

class Log {
  /** @param {string} label @param {LogMemory} memory Outlives this drawing of the log. */
  constructor(label, memory = {}) {
    this.key = "";
    this.memory = memory;
    this.note = html("div", { class: "fnb-log-note" });
    this.box = html("div", { class: "fnb-log", tabindex: 0, role: "log", "aria-label": label });
    this.box.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.box;
      // Who reads its end sees what is added; who reads elsewhere is left there.
      this.memory.log = scrollHeight - scrollTop - clientHeight < 24 ? undefined : { key: this.key, top: scrollTop };
    });
    this.parts = [this.note, this.box];
    /** What is drawn, by the number of the line. @type {Map<number, {line: LogLine, element: HTMLElement}>} */
    this.drawn = new Map();
  }

  /**
   * Show the lines of `key`, of which there are `count`.
   * @param {Tail} tail @param {string} key @param {number} count @param {string} lastLine
   */
  show(tail, key, count, lastLine) {
    const known = tail.key === key ? tail.lines : [];
    if (key !== this.key) this.drawLines(0, []);
    const { log } = this.memory, isNew = !this.drawn.size;
    this.box.hidden = !known.length;
    this.note.hidden = !count;
    this.note.textContent = lineCount(known.length, count, lastLine);
    this.key = key;
    this.drawLines(tail.first, known);
    // Who reads elsewhere than at the end is left there; when lines above go, browsers keep what is read where it is.
    if (log?.key !== key) this.box.scrollTop = this.box.scrollHeight;
    else if (isNew) this.box.scrollTop = log.top;
  }

  /** Draw lines of which the first has this number; those that are as they were stay, with what is selected in them. */
  drawLines(/** @type {number} */ first, /** @type {LogLine[]} */ lines) {
    for (const [at, { element }] of this.drawn) {
      if (at >= first && at < first + lines.length) continue;
      element.remove();
      this.drawn.delete(at);
    }
    for (const [index, line] of lines.entries()) {
      const known = this.drawn.get(first + index);
      if (known && String(known.line) === String(line)) continue;
      const element = drawLogLine(line);
      if (known) known.element.replaceWith(element);
      else this.box.append(element);
      this.drawn.set(first + index, { line, element });
    }
  }
}

function drawLogLine(/** @type {LogLine} */ [stream, text]) {
  const line = html("div", { class: stream === "stdout" ? "fnb-line" : "fnb-line fnb-aside" });
  if (stream !== "stdout") line.append(span("fnb-stream", stream), " ");
  line.append(text || "\u00a0");
  return line;
}
