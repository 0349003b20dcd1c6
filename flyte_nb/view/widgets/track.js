// A bar on the track of a timeline: a picture beside the numbers, which a screen reader has no need of. How many seconds
// the whole track stands for is said by --span of what it is in.

/** Draw what went on from one second to another; until now, if it has not ended. */
function drawTrack(/** @type {State} */ state, /** @type {number} */ started, /** @type {number | null} */ ended) {
  const bar = html("div", { class: "fnb-bar" });
  paint(bar, state);
  bar.style.setProperty("--from", String(started));
  bar.style.setProperty("--to", ended === null ? "var(--span)" : String(ended));
  return html("div", { class: "fnb-track", "aria-hidden": "true" }, bar);
}
