import { expect, test } from "vitest";
import { between, piecesOf, rowsOf } from "../src/journal_rows";
import type { KnobLine, RecipeLine, StepLine } from "../src/states";

const step = (number: number, ahead = false): StepLine => ({ number, text: `step ${number}`, step: {}, name: "", note: "", ahead, seconds: null, where: "" });
const recipe = (first: number, count: number, depth = 0, name = "tiled"): RecipeLine => ({ first, count, depth, name, text: name, state: "same", fields: [], where: "" });
const steps = [1, 2, 3, 4, 5].map((n) => step(n));
const recipes = [recipe(2, 3), recipe(3, 2, 1, "lanes")];
const shown = (opened: string[] = []) => rowsOf(steps, recipes, new Set(opened));

test("a recipe is one row until it is opened, and what is inside may be a recipe", () => {
  expect(shown().map((r) => [r.key, r.first, r.count])).toEqual([["1", 1, 1], ["2/0/tiled", 2, 3], ["5", 5, 1]]);
  expect(shown(["2/0/tiled"]).map((r) => [r.key, r.depth])).toEqual([["1", 0], ["2/0/tiled", 0], ["2", 1], ["3/1/lanes", 1], ["5", 0]]);
  expect(shown(["2/0/tiled", "3/1/lanes"]).map((r) => r.first)).toEqual([1, 2, 2, 3, 3, 4, 5]);
});

test("a row moves past a whole recipe, and never into one or out of one", () => {
  expect(shown().map((r) => [r.up, r.down])).toEqual([[null, 4], [1, 3], [2, null]]);
  expect(shown(["2/0/tiled"]).map((r) => [r.up, r.down])).toEqual([[null, 4], [1, 3], [null, 4], [2, null], [2, null]]);
});

test("nothing moves past what was taken back", () => {
  expect(rowsOf([step(1), step(2, true)], [], new Set()).map((r) => [r.up, r.down, r.ahead])).toEqual([[null, null, false], [1, null, true]]);
});

test("a selection is the steps of all rows between two", () => {
  expect(between(shown(), "1", "2/0/tiled")).toEqual([1, 4]);
  expect(between(shown(), "5", "2/0/tiled")).toEqual([2, 4]);
  expect(between(shown(["2/0/tiled"]), "3/1/lanes", "3/1/lanes")).toEqual([3, 2]);
  expect(between(shown(), "1", "gone")).toBeNull();
  expect(between(rowsOf([step(1), step(2, true)], [], new Set()), "1", "2")).toBeNull();
});

test("values that can be knobs are pieces of the text of their step", () => {
  const knob = (param: string): KnobLine => ({ name: `1.${param}`, step: 1, param, text: param, kind: "factor", now: "", values: "", pressed: false });
  const shown = (text: string, ...params: string[]) => piecesOf(text, params.map(knob)).map((p) => (p.knob ? [p.text, p.knob.param] : p.text));
  expect(shown("split(C, axis=i, factor=8)", "factor")).toEqual(["split(C, axis=i, ", ["factor=8", "factor"], ")"]);
  const tile = "tile(C, x=i, y=j, x_factor=8, y_factor=32)";
  expect(shown(tile, "y_factor", "x_factor")).toEqual(["tile(C, x=i, y=j, ", ["x_factor=8", "x_factor"], ", ", ["y_factor=32", "y_factor"], ")"]);
  expect(shown("reorder(C, axes=[i, (j), k])", "axes")).toEqual(["reorder(C, ", ["axes=[i, (j), k]", "axes"], ")"]);
  expect(shown("vectorize(C, axis=j.inner)", "done")).toEqual(["vectorize(C, axis=j.inner)"]);
  expect(shown("note", "done")).toEqual(["note"]);
});
