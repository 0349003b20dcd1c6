// The last lines of what is open, as they arrive.

import assert from "node:assert/strict";
import test from "node:test";

import { internals } from "./internals.mjs";

const { lineCount, mergeTail } = await internals("run", "lineCount", "mergeTail");

const out = (...texts) => texts.map((text) => ["stdout", text]);

test("new lines follow those that are known", () => {
  const known = { key: "c1", first: 0, lines: out("a", "b") };
  mergeTail(known, { key: "c1", at: 2, first: 0, lines: out("c") });
  assert.deepEqual(known, { key: "c1", first: 0, lines: out("a", "b", "c") });
});

test("lines that may have grown are replaced", () => {
  const known = { key: "c1", first: 0, lines: out("a", "50 %") };
  mergeTail(known, { key: "c1", at: 1, first: 0, lines: out("100 %", "done") });
  assert.deepEqual(known.lines, out("a", "100 %", "done"));
});

test("the oldest lines go when there are too many", () => {
  const known = { key: "c1", first: 10, lines: out("k", "l", "m") };
  mergeTail(known, { key: "c1", at: 13, first: 12, lines: out("n") });
  assert.deepEqual(known, { key: "c1", first: 12, lines: out("m", "n") });
});

test("where lines were missed, only those that follow each other are kept", () => {
  const known = { key: "c1", first: 0, lines: out("a") };
  mergeTail(known, { key: "c1", at: 300, first: 300, lines: out("x") });
  assert.deepEqual(known, { key: "c1", first: 300, lines: out("x") });
});

test("the lines of something else take their place", () => {
  const known = { key: "c1", first: 3, lines: out("a") };
  mergeTail(known, { key: "c2", at: 0, first: 0, lines: out("b") });
  assert.deepEqual(known, { key: "c2", first: 0, lines: out("b") });
});

test("it says how many lines there are, and which are shown", () => {
  assert.equal(lineCount(3, 3, ""), "3 lines");
  assert.equal(lineCount(200, 1301, ""), "last 200 of 1,301 lines");
  assert.equal(lineCount(0, 5, "epoch 5"), "5 lines: epoch 5");
});
