// The tree of a run: what is folded, what is above, what is remarked, and what becomes of it.

import assert from "node:assert/strict";
import test from "node:test";

import { internals } from "./internals.mjs";

const {
  beyond, closeOpenings, firstOpened, foldedRows, groupSize, isAnswered, loseRun, mergeRun, moreText, remarks, rowAbove, rowFacts, shortTask,
} = await internals(
  "run", "beyond", "closeOpenings", "firstOpened", "foldedRows", "groupSize", "isAnswered", "loseRun", "mergeRun", "moreText",
  "remarks", "rowAbove", "rowFacts", "shortTask",
);

const plain = {
  kind: "call", task: "ml.train", state: "succeeded", bar: "succeeded", started: 0, ended: 1, inputs: "", attempts: 1,
  waiting: "", error: "", loud: false, lines: 0, last_line: "", size: 1, hidden: 0, counts: {}, returned: "", whole: 1,
};

/** A run whose rows have these depths, named after their places: a, b, c. */
function run(...depths) {
  const order = depths.map((_, index) => String.fromCharCode(97 + index));
  const rows = Object.fromEntries(order.map((key, index) => [key, { ...plain, key, depth: depths[index] }]));
  return { order, rows, head: { state: "running", counts: {}, done: 0, total: 1, to_come: 0, not_begun: 0, ended: null, elapsed: 0 } };
}

const shown = (tree, ...folded) => {
  const found = foldedRows(tree, new Set(folded));
  return tree.order.filter((key) => !found.get(key).hidden).join("");
};

test("nothing is hidden while nothing is folded, and what has rows below it says so", () => {
  const tree = run(0, 1, 2, 1), found = foldedRows(tree, new Set());
  assert.equal(shown(tree), "abcd");
  assert.deepEqual(tree.order.filter((key) => found.get(key).opens), ["a", "b"]);
});

test("folding hides what is below, to any depth, and nothing beside it", () => {
  const tree = run(0, 1, 2, 3, 1, 0);
  assert.equal(shown(tree, "b"), "abef");
  assert.equal(shown(tree, "a"), "af");
});

test("what is folded inside of something folded stays folded when that opens", () => {
  const tree = run(0, 1, 2, 1);
  assert.equal(shown(tree, "a", "b"), "a");
  assert.equal(shown(tree, "b"), "abd");
});

test("a row that is no longer there folds nothing", () => {
  assert.equal(shown(run(0, 1), "z"), "ab");
});

test("a row is below the next higher one before it", () => {
  const tree = run(0, 1, 2, 2, 1, 0);
  assert.deepEqual(tree.order.map((key) => rowAbove(tree, key)), [undefined, "a", "b", "b", "a", undefined]);
});

test("news replace rows, and what left the order is forgotten", () => {
  const tree = run(0, 1, 1);
  mergeRun(tree, { rows: { b: { ...plain, key: "b", depth: 1, state: "failed" } }, order: ["a", "b"] });
  assert.equal(tree.rows.b.state, "failed");
  assert.deepEqual(Object.keys(tree.rows), ["a", "b"]);
});

test("news without an order leave it as it is", () => {
  const tree = run(0, 1);
  mergeRun(tree, { head: { ...tree.head, done: 1 } });
  assert.deepEqual([tree.order, tree.head.done], [["a", "b"], 1]);
});

test("when the kernel has ended, what went on is lost, and what had ended is what it was", () => {
  const tree = run(0, 1, 1, 1);
  Object.assign(tree.rows.a, { state: "running", bar: "running", ended: null });
  Object.assign(tree.rows.c, { state: "queued", bar: "queued", ended: null, waiting: "its turn" });
  Object.assign(tree.rows.d, { kind: "group", state: "running", ended: null, counts: { running: 2, succeeded: 5 }, size: 7, whole: 97 });
  Object.assign(tree.head, { counts: { running: 3, queued: 1, succeeded: 6 }, total: 100, done: 6, to_come: 90 });
  const vocabulary = { running: { left: "lost" }, queued: { left: "lost" }, succeeded: { left: "" } };
  loseRun(tree, vocabulary, 7.5);
  assert.deepEqual(tree.order.map((key) => tree.rows[key].state), ["lost", "succeeded", "lost", "lost"]);
  assert.deepEqual([tree.rows.c.ended, tree.rows.c.waiting, tree.rows.b.ended], [7.5, "", 1]);
  assert.deepEqual(Object.entries(tree.rows.d.counts), [["lost", 2], ["succeeded", 5]]);
  assert.deepEqual(Object.entries(tree.head.counts), [["lost", 4], ["succeeded", 6]]);
  assert.deepEqual([tree.head.state, tree.head.ended, tree.head.done], ["lost", 7.5, 10]);
  assert.deepEqual([tree.head.total, tree.head.to_come, tree.head.not_begun, tree.rows.d.whole], [100, 0, 90, 97]);
});

test("the name of a task is there however long that of its environment is", () => {
  assert.equal(shortTask("ml-training.train"), "ml-training.train");
  assert.equal(shortTask(`${"long-".repeat(9)}.train`), `${"long-".repeat(6)}l….train`);
  assert.equal(shortTask(`${"🙂".repeat(40)}.train`), `${"🙂".repeat(31)}….train`);
  assert.equal(shortTask("x".repeat(40)), "x".repeat(40));
});

test("only what is out of the ordinary is remarked, and what was returned", () => {
  assert.deepEqual(remarks(plain), []);
  const odd = { ...plain, waiting: "1 GPU", attempts: 3, lines: 1, hidden: 4, returned: "[1]" };
  assert.deepEqual(remarks(odd), ["queued", "waits for 1 GPU", "attempt 3", "1 line", "more calls below", "→ [1]"]);
});

test("a group says of how many calls it has begun some", () => {
  assert.equal(groupSize({ ...plain, size: 1200, whole: 1200 }), "1,200");
  assert.equal(groupSize({ ...plain, size: 60, whole: 1200 }), "60 of 1,200");
  assert.deepEqual(beyond({ to_come: 0, not_begun: 0 }), []);
  assert.deepEqual(beyond({ to_come: 1140, not_begun: 5 }), ["1,140 to come", "5 not begun"]);
});

test("the details of a call are all that is known of it", () => {
  const row = { ...plain, state: "failed", error: "ValueError: no", attempts: 2, started: 0.5, ended: 61 };
  assert.deepEqual(rowFacts(row), [
    ["state", "failed"], ["inputs", "none"], ["error", "ValueError: no"], ["attempts", "2"], ["began", "after 0.500 s"],
    ["ended", "after 1 min 01 s"],
  ]);
});

test("what a call has returned is told beside what it was given", () => {
  assert.deepEqual(rowFacts({ ...plain, inputs: "n=1", returned: "[1]" }).slice(1, 3), [["inputs", "n=1"], ["returned", "[1]"]]);
});

test("a group tells its counts, and has no inputs", () => {
  const facts = Object.fromEntries(rowFacts({ ...plain, kind: "group", counts: { failed: 1, succeeded: 2000 }, ended: null }));
  assert.equal(facts.state, "1 failed, 2,000 succeeded");
  assert.deepEqual([facts.inputs, facts.ended], [undefined, undefined]);
});

/** The runs before and after the row e below b was opened: x and y came below b, and z somewhere else. */
function opened() {
  const tree = run(0, 1, 2, 2, 2, 1, 1);
  const asked = { key: "e", opens: 50, above: "b", before: new Set(tree.order) };
  Object.assign(tree.rows.e, { kind: "more", opened: 0, opens: 50, size: 60 });
  const news = Object.fromEntries(["x", "y", "z"].map((key) => [key, { ...plain, key, depth: key === "z" ? 1 : 2 }]));
  return { tree, asked, news, order: [..."abcdxyefgz"] };
}

test("what was asked for has come when the row says so, or is gone, or cannot open any more", () => {
  const { tree, asked } = opened();
  assert.equal(isAnswered(tree, asked), false);
  tree.rows.e = { ...tree.rows.e, opened: 50, opens: 100 };
  assert.equal(isAnswered(tree, asked), true);
  assert.equal(isAnswered(tree, { ...asked, opens: 100 }), false);
  closeOpenings(tree);
  assert.equal(isAnswered(tree, { ...asked, opens: 100 }), true);
  delete tree.rows.e;
  assert.equal(isAnswered(tree, asked), true);
});

test("the first row that was opened is below the same row, and new", () => {
  const { tree, asked, news, order } = opened();
  assert.equal(firstOpened(tree, asked), undefined);
  mergeRun(tree, { rows: news, order });
  assert.equal(firstOpened(tree, asked), "x");
  assert.equal(firstOpened(tree, { ...asked, above: "a" }), "z");
  assert.equal(firstOpened(tree, { ...asked, above: undefined }), undefined);
});

test("a row that counts others says when no more of them can be opened", () => {
  assert.equal(moreText({ size: 9495, opened: 50, opens: 100 }), "… and 9,495 more");
  assert.equal(moreText({ size: 9495, opened: 500, opens: 0 }), "… and 9,495 more: 500 is the most that can be opened");
});

test("without a kernel no row opens, and none says that it is the most", () => {
  const { tree } = opened();
  Object.assign(tree.rows.e, { opened: 500, opens: 0 });
  closeOpenings(tree);
  assert.equal(moreText(tree.rows.e), "… and 60 more");
});
