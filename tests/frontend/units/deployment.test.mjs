// What a page makes of what it hears of a deployment, and of a kernel that has ended.

import assert from "node:assert/strict";
import test from "node:test";

import { internals } from "./internals.mjs";

const { abandon, barred, loseDeployment, mergeFacts, mergeHead } = await internals(
  "deployment", "abandon", "barred", "loseDeployment", "mergeFacts", "mergeHead",
);

const vocabulary = { running: { left: "lost" }, retrying: { left: "lost" }, pending: { left: "cancelled" }, succeeded: { left: "" }, lost: { left: "" } };
const fact = (word, started, ended) => ({ word, at: "", started, ended, attempt: 1, error: "" });

test("what was going on is lost, what had not begun never will, and what was done is done", () => {
  const head = { state: "running", counts: { running: 1, pending: 1, succeeded: 1 }, done: 1, total: 3, ended: null, elapsed: 4, left: 9 };
  const states = { n0: "succeeded", n1: "running", n2: "pending" };
  const facts = { n0: fact("deployed", 0, 2), n1: fact("deploying", 2, null), n2: fact("waiting", null, null) };
  loseDeployment(head, states, facts, vocabulary, 5.5);
  assert.deepEqual(states, { n0: "succeeded", n1: "lost", n2: "cancelled" });
  assert.deepEqual(Object.entries(head.counts), [["lost", 1], ["cancelled", 1], ["succeeded", 1]]);
  assert.deepEqual([head.state, head.done, head.ended, head.left], ["lost", 3, 5.5, null]);
  assert.deepEqual([facts.n0.ended, facts.n1.ended, facts.n2.ended], [2, 5.5, null]);
  assert.deepEqual([facts.n0.error, facts.n1.error], ["", "the kernel has ended"]);
});

test("counts that meet are added, and nothing is made up", () => {
  const counts = { lost: 2, running: 1, retrying: 0, succeeded: 4 };
  abandon(counts, vocabulary);
  assert.deepEqual(counts, { lost: 3, succeeded: 4 });
});

test("what of the facts and the head is other takes its place, and a count of none goes", () => {
  const facts = { n0: fact("", 0, null), n9: fact("", 0, null) }, counts = { running: 1, pending: 3 };
  const head = { state: "running", counts, done: 0, total: 4, ended: null, elapsed: 4, left: 9 };
  mergeFacts(facts, { n0: { ended: 2 }, n1: { started: 2 }, n9: null });
  assert.deepEqual(facts, { n0: { ...fact("", 0, 2), bar: true }, n1: { ...fact("", 2, null), bar: true } });
  mergeHead(head, { counts: { running: 0, succeeded: 1 }, done: 1, elapsed: 5 });
  assert.deepEqual(head, { state: "running", counts: { pending: 3, succeeded: 1 }, done: 1, total: 4, ended: null, elapsed: 5, left: 9 });
});

test("what has begun and is worth a bar has one, in the order of beginning", () => {
  const bars = (started, bar) => ({ ...fact("", started, null), bar });
  assert.deepEqual(barred({ n0: bars(2, true), n1: bars(1, true), n2: bars(0, false), n3: bars(null, true) }), ["n1", "n0"]);
});
