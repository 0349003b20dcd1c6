// How a row of a run looks.

const DEEPEST = 16; // further in, there would be no room for names

/**
 * Draw a row as it is now.
 *
 * @param {HTMLElement} element @param {Row} row @param {Vocabulary} vocabulary
 * @param {number} elapsed seconds since the run began
 */
function fillRow(element, row, vocabulary, elapsed) {
  element.style.setProperty("--depth", String(Math.min(row.depth, DEEPEST)));
  element.setAttribute("aria-level", String(row.depth + 1));
  Object.assign(element.dataset, { kind: row.kind, state: row.state, loud: String(row.loud) });
  if (row.kind === "more") {
    const more = span("fnb-more", moreText(row)), twisty = span("fnb-twisty");
    twisty.setAttribute("aria-hidden", "true");
    if (row.opens) more.setAttribute("role", "button");
    element.dataset.opens = String(row.opens > 0);
    element.replaceChildren(html("div", { class: "fnb-name-cell", role: "gridcell" }, twisty, more));
    return;
  }
  paint(element, vocabulary[row.state]);
  const took = html("div", { class: "fnb-took", role: "gridcell" }, ""), track = drawTrack(vocabulary[row.bar], row.started, row.ended);
  track.setAttribute("role", "gridcell");
  element.replaceChildren(nameCell(row, vocabulary[row.state]), took, track);
  sayTime(element, row, elapsed);
}

/** What was called with what, and what became of it. */
function nameCell(/** @type {Row} */ row, /** @type {State} */ state) {
  const twisty = span("fnb-twisty");
  twisty.setAttribute("aria-hidden", "true");
  const words = row.kind === "group" ? ` × ${groupSize(row)}` : `(${row.inputs})`;
  const line = html("div", { class: "fnb-call" }, twisty, badgeImage(state), taskName(row.task));
  line.append(span("fnb-inputs", words));
  const worded = row.kind === "call" && state.worded;
  line.append(span(worded ? "fnb-word" : "fnb-unseen", ` ${state.label}`));
  const told = remarks(row);
  if (told.length) line.append(span("fnb-remarks", told.join(" · ")));
  const cell = html("div", { class: "fnb-name-cell", role: "gridcell" }, line);
  if (row.kind === "group") cell.append(html("div", { class: "fnb-tally" }, tally(row, " · ")));
  if (row.loud) cell.append(html("div", { class: "fnb-error" }, row.error));
  if (row.last_line && (row.ended === null || row.loud)) cell.append(html("div", { class: "fnb-last-line" }, row.last_line));
  return cell;
}

/** The name of a task, whole for who points at it if that of its environment is so long that the task's own is cut. */
function taskName(/** @type {string} */ task) {
  const name = span("fnb-task", shortTask(task));
  if (name.textContent !== task) name.title = task;
  return name;
}

/** Say how long a call took, or has taken so far: in place, which no observer of elements sees. */
function sayTime(/** @type {HTMLElement} */ element, /** @type {Row} */ row, /** @type {number} */ elapsed) {
  const text = element.querySelector(".fnb-took")?.firstChild, going = row.ended === null;
  if (text) text.nodeValue = row.state === "queued" ? "" : duration((row.ended ?? elapsed) - row.started, going);
}
