// Numbers and times as people say them.

const TICK = 200, CALM_TICK = 1000; // milliseconds
const MOMENT = 5; // seconds

const span = (/** @type {string} */ style, /** @type {(Node | string)[]} */ ...children) =>
  html("span", { class: style }, ...children);
const counted = (/** @type {number} */ count, /** @type {string} */ noun) =>
  `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** A span whose text is changed in place, which no observer of the page's elements sees. */
class Text {
  constructor(/** @type {string} */ style, text = "") {
    this.node = document.createTextNode(text);
    this.span = span(style, this.node);
  }

  say(/** @type {string} */ text) { if (this.node.data !== text) this.node.data = text; }
}

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

/**
 * What there is left to wait of `left` seconds that were told `sinceHeard` seconds ago, after `elapsed` seconds; nothing
 * of what is over in a moment.
 *
 * @param {number} left @param {number} sinceHeard @param {number} elapsed
 */
function leftText(left, sinceHeard, elapsed) {
  const seconds = left - sinceHeard;
  if (elapsed + Math.max(0, seconds) < MOMENT) return "";
  return seconds > 0 ? `${about(seconds)} left` : "longer than expected";
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
