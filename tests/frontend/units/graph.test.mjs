// The graph: what is found, what is next to what, how large it is seen, and what becomes of it when parts are replaced.

import assert from "node:assert/strict";
import test from "node:test";

import { internals } from "./internals.mjs";

const { applyPatch, fitted, found, nearest, noteAnswers, scrolledAround, Waves, Ways, zoomed } = await internals(
  "graph", "applyPatch", "fitted", "found", "nearest", "noteAnswers", "scrolledAround", "Waves", "Ways", "zoomed",
);

const wires = (...pairs) => pairs.map(([source, target]) => ({ source, target, element: `${source}-${target}` }));
const sorted = (keys) => [...keys].sort().join("");

test("what is found has every word of the query, wherever and in whatever case", () => {
  const all = [{ key: "a", text: "ml-training pytorch:latest failed" }, { key: "b", text: "ml-serving fastapi deployed" }];
  const keys = (query) => found(all, query).map(({ key }) => key).join("");
  assert.equal(keys("ML"), "ab");
  assert.equal(keys("  failed  ml "), "a");
  assert.equal(keys("failed fastapi"), "");
  assert.equal(keys("   "), "");
});

test("upstream and downstream are everything that can be reached, without the node, each edge once", () => {
  // A diamond with a tail, and one beside it.
  const ways = new Ways(wires(["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"], ["d", "e"], ["x", "y"]));
  assert.equal(sorted(ways.upstream("d").keys), "abc");
  assert.equal(sorted(ways.downstream("a").keys), "bcde");
  assert.deepEqual(ways.upstream("e").edges.map(({ element }) => element).sort(), ["a-b", "a-c", "b-d", "c-d", "d-e"]);
  assert.deepEqual([ways.before("d"), ways.after("d"), ways.before("a")], [["b", "c"], ["e"], []]);
  assert.equal(ways.downstream("nowhere").keys.size, 0);
});

test("a chain of 100,000 is followed to its end", () => {
  const ways = new Ways(wires(...Array.from({ length: 100_000 }, (_, at) => [`n${at}`, `n${at + 1}`])));
  assert.equal(ways.downstream("n0").keys.size, 100_000);
});

test("a picture fits the width while it stays legible, and the view whatever it takes", () => {
  const picture = { width: 1000, height: 4000 };
  assert.equal(fitted(0, picture, 2000, 640), 1); // never larger than it was drawn
  assert.equal(fitted(0, picture, 900, 640), 0.9);
  assert.equal(fitted(0, picture, 300, 640), 0.8); // from here on it scrolls
  assert.equal(fitted("whole", picture, 900, 640), 0.16);
  assert.equal(fitted("whole", { width: 1000, height: 400_000 }, 900, 640), 0.04);
  assert.equal(fitted(1.5, picture, 300, 640), 1.5);
});

test("zooming has its bounds, and what is under the pointer stays there", () => {
  assert.deepEqual([zoomed(1, 1.25), zoomed(2.9, 1.25), zoomed(0.05, 0.5)], [1.25, 3, 0.04]);
  // At scale 1, point 150 of the picture is under pixel 50; at scale 2 that is pixel 300 of it.
  assert.equal(scrolledAround(100, 50, 2), 250);
  assert.equal(scrolledAround(scrolledAround(100, 50, 2), 50, 0.5), 100);
});

test("arrows go to what is nearest in their direction, and stay where there is nothing", () => {
  const card = (key, x, y) => ({ key, x, y });
  const from = card("from", 100, 100), cards = [from, card("far", 400, 100), card("near", 200, 120), card("up", 100, 0)];
  assert.equal(nearest(cards, from, 1, 0), "near");
  assert.equal(nearest(cards, from, 0, -1), "up");
  assert.equal(nearest(cards, from, -1, 0), "from");
  assert.equal(nearest([from, card("aside", 110, 160), card("ahead", 200, 100)], from, 1, 0), "ahead");
});

test("cards and rows that are others take their places, and the rest are the very same", () => {
  const scene = { cards: [{ key: "n0", x: 0 }, { key: "n1", x: 1 }] }, index = [["n0", "a", ""], ["n1", "b", ""]];
  const [card] = scene.cards, [row] = index;
  const model = new Map(Object.entries({ _scene: scene, _index: index, _states: { n0: "pending", n1: "pending" } }));
  applyPatch(model, { _scene: { cards: [{ key: "n1", x: 9 }, { key: "n7", x: 7 }], headline: "new" }, _index: [["n1", "b", "new words"]], _states: { n1: "running" } });
  assert.deepEqual(scene.cards, [{ key: "n0", x: 0 }, { key: "n1", x: 9 }]);
  assert.deepEqual(index, [["n0", "a", ""], ["n1", "b", "new words"]]);
  assert.ok(scene.cards[0] === card && index[0] === row);
  assert.deepEqual(model.get("_states"), { n0: "pending", n1: "running" });
});

test("what was told is asked again when it is outdated, of what is open, and an answer shows the buttons as they are", () => {
  const heard = [], memory = { asked: "n0" };
  const view = (hidden) => ({
    selected: "n0", details: { hidden }, inquire: (key) => heard.push([key, memory.asked]),
    requests: { answered: () => heard.push("answered"), show: () => heard.push("shown") },
  });
  noteAnswers([view(true), view(false)], new Map(), memory, { outdated: true });
  assert.deepEqual(heard.splice(0), [["n0", ""]]);
  noteAnswers([view(true)], new Map(), memory, { answered: true });
  assert.deepEqual(heard, ["answered", "shown"]);
});

test("a wave says of those inside it what most needs attention first, and can be found by what they are", () => {
  const label = (text) => ({ label: text });
  const wave = { key: "g0-3", span: [0, 3], opened: false, name: "wave 1", sublabel: "3 environments" };
  const single = { key: "n3", span: null, opened: false };
  const model = new Map(Object.entries({
    _vocabulary: { failed: label("failed"), running: label("deploying"), succeeded: label("deployed") },
    _index: [["n0", "Base", "python"], ["n1", "gpu", ""], ["n2", "api", ""], ["n3", "web", ""]],
    _states: { n0: "succeeded", n1: "failed", n2: "succeeded", n3: "running" },
  }));
  const waves = new Waves(model, [wave, single]);
  assert.deepEqual([...waves.homes], [["n0", "g0-3"], ["n1", "g0-3"], ["n2", "g0-3"]]);
  assert.equal(waves.stateName(wave), "failed");
  assert.deepEqual(waves.summary(wave), { full: "1 failed, 2 deployed", short: "1 failed, 2 deployed" });
  assert.deepEqual(waves.findable([wave, single], (card) => card.subtitle)[0], { key: "n0", text: "base python deployed" });
});
