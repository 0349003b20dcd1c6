// Numbers and times as people say them.

const TICK = 200, CALM_TICK = 1000; // milliseconds

const span = (style, ...children) => html("span", { class: style }, ...children);
const number = (/** @type {number} */ count) => count.toLocaleString("en");
const counted = (/** @type {number} */ count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Begin to call `tick` as often as a clock moves; returns the interval. */
function ticking(/** @type {() => void} */ tick) {
  return setInterval(tick, matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM_TICK : TICK);
}

/** As flyte_nb.view.durations says it; a clock that is going shows tenths. */
function duration(/** @type {number} */ seconds, going = false) {
  if (seconds < 60) return `${Math.max(0, seconds).toFixed(going ? 1 : 3)} s`;
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${number(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** As flyte_nb.view.durations says an estimate. */
function about(/** @type {number} */ seconds) {
  if (seconds < 59.5) return `about ${Math.max(1, Math.round(seconds))} s`;
  const tens = Math.round(seconds / 10), rest = tens % 6;
  if (tens < 60) return `about ${Math.floor(tens / 6)} min${rest ? ` ${rest}0 s` : ""}`;
  const minutes = Math.round(seconds / 60), over = minutes % 60;
  if (minutes < 60) return `about ${minutes} min`;
  return `about ${number(Math.floor(minutes / 60))} h${over ? ` ${over} min` : ""}`;
}
