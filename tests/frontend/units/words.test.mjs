// Numbers and times as people say them.

import assert from "node:assert/strict";
import test from "node:test";

import { internals } from "./internals.mjs";

const { about, counted, duration, leftText, number, tally } = await internals(
  "run", "about", "counted", "duration", "leftText", "number", "tally",
);

test("numbers have their thousands apart", () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(number), ["0", "999", "1,000", "1,234,567"]);
});

test("one is said in the singular, and none and many in the plural", () => {
  assert.deepEqual([0, 1, 2, 1000].map((count) => counted(count, "line")), ["0 lines", "1 line", "2 lines", "1,000 lines"]);
});

test("what has ended is told to the millisecond, a clock that goes in tenths", () => {
  assert.equal(duration(0.3016), "0.302 s");
  assert.equal(duration(0.3016, true), "0.3 s");
});

test("a clock never shows less than nothing, though clocks differ", () => {
  assert.equal(duration(-0.2, true), "0.0 s");
});

test("longer times are minutes and hours", () => {
  assert.deepEqual([60, 125, 3599.4, 3600, 11520, 3_600_000].map((seconds) => duration(seconds)),
    ["1 min 00 s", "2 min 05 s", "59 min 59 s", "1 h 00 min", "3 h 12 min", "1,000 h 00 min"]);
});

test("an estimate is no more exact than it is known", () => {
  assert.deepEqual([0, 12.4, 59.4, 59.6, 130, 599, 600, 3570, 11400, 7200].map(about), [
    "about 1 s", "about 12 s", "about 59 s", "about 1 min", "about 2 min 10 s", "about 10 min", "about 10 min",
    "about 1 h", "about 3 h 10 min", "about 2 h",
  ]);
});

test("what is left counts down from when it was told, and then says that it takes longer", () => {
  assert.equal(leftText(90, 0, 0), "about 1 min 30 s left");
  assert.equal(leftText(90, 80, 80), "about 10 s left");
  assert.equal(leftText(90, 90, 90), "longer than expected");
  assert.equal(leftText(2, 0, 1), "");
  assert.equal(leftText(0, 2, 3), "");
  assert.equal(leftText(0, 4, 6), "longer than expected");
});

test("counts of a group are told in their order", () => {
  assert.equal(tally({ counts: { failed: 3, succeeded: 9997 } }, " · "), "3 failed · 9,997 succeeded");
});
