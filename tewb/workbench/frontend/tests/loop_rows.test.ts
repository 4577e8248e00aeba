import { expect, test } from "vitest";
import { flatten, isInside, loopsOf, moved, neighbour } from "../src/loop_rows";
import type { LoopNode } from "../src/states";

function node(key: string, inside: LoopNode[] = []): LoopNode {
  const [stage, loop] = key.split("/") as [string, string | undefined];
  return {
    key, kind: loop ? "loop" : "stage", stage, loop: loop ?? null, extent: "8", trips: 8, axis: loop ? "data" : "", marks: [], place: "",
    bytes: null, memory: "", computed: 1, step: null, part: 0, inside,
  };
}

const X = node("X", [node("X/i")]);
const tree = [node("Y", [node("Y/i", [X, node("Y/j")])])];

test("rows follow the order in which loops run, stages inside of the loops they are computed at", () => {
  expect(flatten(tree, new Set()).map((r) => [r.node.key, r.depth, r.parent])).toEqual([
    ["Y", 0, null], ["Y/i", 1, "Y"], ["X", 2, "Y/i"], ["X/i", 3, "X"], ["Y/j", 2, "Y/i"],
  ]);
});

test("a split lets the rows of other loops be, and the one that was split", () => {
  const slots = (roots: LoopNode[]) => flatten(roots, new Set()).map((r) => r.slot);
  expect(slots(tree)).toEqual(["Y", "Y/0", "X", "X/0", "Y/1"]);
  const split = [node("Y", [node("Y/i.outer", [node("Y/i.inner", [X, node("Y/j")])])])];
  expect(slots(split)).toEqual(["Y", "Y/0", "Y/1", "X", "X/0", "Y/2"]);
});

test("what is folded keeps its row and hides what is inside", () => {
  const rows = flatten(tree, new Set(["Y/i"]));
  expect(rows.map((r) => r.node.key)).toEqual(["Y", "Y/i"]);
  expect(rows[1]).toMatchObject({ isFolded: true, isOpen: false });
});

test("the loops of a stage leave out those of the stages inside", () => {
  expect(loopsOf(flatten(tree, new Set()), "Y")).toEqual(["i", "j"]);
});

test("a neighbour is the next loop in or out, or none", () => {
  expect(neighbour(["i", "j", "k"], "j", 1)).toBe("k");
  expect(neighbour(["i", "j", "k"], "i", -1)).toBeUndefined();
  expect(neighbour(["i"], "z", 1)).toBeUndefined();
});

test("a loop dropped on another takes its place, and only the loops between are named", () => {
  expect(moved(["i", "j", "k", "l"], "k", "i")).toEqual(["k", "i", "j"]);
  expect(moved(["i", "j", "k", "l"], "i", "k")).toEqual(["j", "k", "i"]);
});

test("a stage cannot be dropped into itself: what is inside is known at any depth", () => {
  expect(isInside(tree[0]!, "X/i")).toBe(true);
  expect(isInside(X, "Y/j")).toBe(false);
});
