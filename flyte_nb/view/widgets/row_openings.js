// Asking the kernel for more of the calls that a row only counts. The answer may take a moment.

/**
 * What was asked for: the row that was opened, how many rows it is to open, the row above it, and what was shown then.
 *
 * @typedef {{key: string, opens: number, above: string | undefined, before: Set<string>}} Asked
 */

/** Ask for more rows where a row counts what is not shown. @returns {Asked} */
function askForMore(/** @type {Model} */ model, /** @type {RunFacts} */ run, /** @type {Row} */ { key, opens }) {
  const opened = { ...model.get("_more") };
  delete opened[key]; // to be the last, which is not closed when there are too many
  choose(model, "_more", /** @type {any} */ ({ ...opened, [key]: opens }));
  return { key, opens, above: rowAbove(run, key), before: new Set(run.order) };
}

/** Whether the kernel has answered, or will not any more. */
function isAnswered(/** @type {RunFacts} */ { rows }, /** @type {Asked} */ { key, opens }) {
  const row = rows[key];
  return !row?.opens || row.opened >= opens;
}

/** The first row that was not there when it was asked for, if there is any. */
function firstOpened(/** @type {RunFacts} */ { rows, order }, /** @type {Asked} */ { above, before }) {
  const depth = above === undefined ? 0 : (rows[above]?.depth ?? 0) + 1;
  const below = above === undefined ? order : order.slice(order.indexOf(above) + 1);
  const end = below.findIndex((key) => rows[key].depth < depth);
  return below.slice(0, end < 0 ? undefined : end).find((key) => rows[key].depth === depth && !before.has(key));
}

/** Nobody is left who could answer: no row opens any more. */
function closeOpenings(/** @type {RunFacts} */ { rows }) {
  for (const [key, row] of Object.entries(rows)) if (row.kind === "more") rows[key] = { ...row, opens: 0, opened: 0 };
}
