// The rows of a run: what they say, which are folded away, and what becomes of them. Nothing here knows the page.

/**
 * @typedef {{key: string, kind: "call" | "group" | "more", depth: number, task: string, state: string, bar: string,
 *   started: number, ended: number | null, inputs: string, attempts: number, waiting: string, error: string,
 *   loud: boolean, lines: number, last_line: string, size: number, hidden: number, counts: Object<string, number>,
 *   opened: number, opens: number, returned: string, whole: number}} Row
 * @typedef {HeadFacts & {to_come: number, not_begun: number}} RunHead
 * @typedef {{rows: Object<string, Row>, order: string[], head: RunHead}} RunFacts
 */

function tally(/** @type {Row} */ row, /** @type {string} */ between) {
  return Object.entries(row.counts).map(([name, count]) => `${number(count)} ${name}`).join(between);
}

/** How many calls a group has, of how many if that is known. */
function groupSize(/** @type {Row} */ { size, whole }) {
  return whole > size ? `${number(size)} of ${number(whole)}` : number(size);
}

/** How many calls are to come, and how many will not begin any more. @returns {string[]} */
function beyond(/** @type {RunHead} */ { to_come: toCome, not_begun: notBegun }) {
  return [toCome ? `${number(toCome)} to come` : "", notBegun ? `${number(notBegun)} not begun` : ""].filter(Boolean);
}

/** What a row says that counts the calls which are not shown. */
function moreText(/** @type {Row} */ { size, opened, opens }) {
  const text = `… and ${number(size)} more`;
  return opened && !opens ? `${text}: ${number(opened)} is the most that can be opened` : text;
}

const LONGEST_ENVIRONMENT = 32;

/** The full name of a task, with room for its own name: of a long environment there is the beginning. */
function shortTask(/** @type {string} */ task) {
  const at = task.indexOf("."), environment = [...task.slice(0, Math.max(0, at))];
  if (environment.length <= LONGEST_ENVIRONMENT) return task;
  return `${environment.slice(0, LONGEST_ENVIRONMENT - 1).join("")}…${task.slice(at)}`;
}

/** What is remarked on a call beside its name, inputs and state. */
function remarks(/** @type {Row} */ row) {
  const told = row.waiting ? ["queued", `waits for ${row.waiting}`] : [];
  if (row.attempts > 1) told.push(`attempt ${row.attempts}`);
  if (row.lines) told.push(counted(row.lines, "line"));
  if (row.hidden) told.push("more calls below");
  if (row.returned) told.push(`→ ${row.returned}`);
  return told;
}

/** All that is known of a row, as terms and texts. @returns {[string, string][]} */
function rowFacts(/** @type {Row} */ row) {
  /** @type {[string, string][]} */
  const facts = [["state", row.kind === "group" ? tally(row, ", ") : row.state]];
  if (row.kind === "call") facts.push(["inputs", row.inputs || "none"]);
  if (row.returned) facts.push(["returned", row.returned]);
  if (row.waiting) facts.push(["waits for", row.waiting]);
  if (row.error) facts.push(["error", row.error]);
  if (row.attempts > 1) facts.push(["attempts", number(row.attempts)]);
  facts.push(["began", `after ${duration(row.started)}`]);
  if (row.ended !== null) facts.push(["ended", `after ${duration(row.ended)}`]);
  return facts;
}

/**
 * Which rows are hidden, because they are below a folded one, and which have rows below them.
 * @param {RunFacts} run @param {Set<string>} folded
 * @returns {Map<string, {hidden: boolean, opens: boolean}>}
 */
function foldedRows({ rows, order }, folded) {
  const found = new Map();
  let below = Infinity;
  order.forEach((key, index) => {
    const { depth } = rows[key];
    if (depth <= below) below = Infinity;
    found.set(key, { hidden: depth > below, opens: rows[order[index + 1]]?.depth > depth });
    if (folded.has(key) && below === Infinity) below = depth;
  });
  return found;
}

/** The row that a row is below, if it is below any. */
function rowAbove(/** @type {RunFacts} */ { rows, order }, /** @type {string} */ key) {
  return order.slice(0, order.indexOf(key)).reverse().find((each) => rows[each].depth < rows[key].depth);
}

/**
 * Bring a run up to date in place, as Python has: no event, and a page that is loaded later gets the whole.
 * @param {RunFacts} run @param {Partial<RunFacts>} news
 */
function mergeRun(run, { rows = {}, order, head }) {
  Object.assign(run.rows, rows);
  if (order) {
    const kept = new Set(order);
    for (const key of Object.keys(run.rows)) if (!kept.has(key)) delete run.rows[key];
    run.order = order;
  }
  if (head) run.head = head;
}

/**
 * Note that nobody will tell what has become of a run that was going on; it is known of until `ended`.
 *
 * @param {RunFacts} run @param {Vocabulary} vocabulary @param {number} ended
 */
function loseRun({ rows, head }, vocabulary, ended) {
  for (const [key, row] of Object.entries(rows)) {
    abandon(row.counts, vocabulary);
    if (row.kind !== "more" && row.ended === null) rows[key] = { ...row, state: "lost", bar: "lost", waiting: "", ended };
  }
  abandon(head.counts, vocabulary);
  const notBegun = head.not_begun + head.to_come;
  Object.assign(head, { state: "lost", done: head.total - notBegun, to_come: 0, not_begun: notBegun, ended });
}
