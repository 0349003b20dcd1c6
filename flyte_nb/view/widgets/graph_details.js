// What is told of the environment that is selected.

/**
 * @typedef {{key: string, told: [string, string][], ends?: {before: [string, string][], after: [string, string][],
 *   upstream: number, downstream: number}}} About
 */

const MOST_LINKS = 40;

/**
 * A list of names that can be gone to: those next to it, and how many there are in all that way.
 *
 * @param {[string, string][]} named @param {number} all @param {"upstream" | "downstream"} way
 * @param {(key: string) => void} go
 */
function links(named, all, way, go) {
  /** @type {HTMLElement[]} */
  const buttons = named.slice(0, MOST_LINKS).map(([key, name]) => button(name, () => go(key)));
  const rest = named.length - buttons.length;
  if (rest > 0) buttons.push(html("span", { class: "fnb-more" }, `and ${number(rest)} more`));
  if (all > named.length) buttons.push(html("span", { class: "fnb-more" }, `${number(all)} ${way} in all`));
  return html("dd", { class: "fnb-links" }, ...(buttons.length ? buttons : ["nothing"]));
}

/**
 * What only the kernel knows of an environment; it may take its time to tell.
 *
 * @param {About | undefined} about what it has told @param {boolean} ended whether it has ended
 */
function aboutPairs(about, ended) {
  const waits = ended ? "the kernel that knew it has ended" : "asking the kernel …";
  return about ? pairs(about.told) : [html("dt", {}, "more"), html("dd", { class: "fnb-asked" }, waits)];
}
