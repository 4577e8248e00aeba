import { expect, test } from "vitest";
import type { TrialLine } from "../src/states";
import { corners, pressed, sorted, type Sort } from "../src/trial_rows";

const row = (number: number, seconds: number | null, state = "ok", values: string[] = [], pinned = false): TrialLine => ({
  number, state, text: state, seconds, spread: null, time: "", times: null, twin: null, values, pinned,
});
const order = (rows: TrialLine[], by: Sort["by"], down = false) => sorted(rows, { by, down }).map((r) => r.number);

test("the fastest come first, and what has no time of its own last either way", () => {
  const rows = [row(0, 3), row(1, null, "refused"), row(2, 1), row(3, 0.5, "slow"), row(4, 1, "same")];
  expect(order(rows, "seconds")).toEqual([2, 4, 0, 1, 3]);
  expect(order(rows, "seconds", true)).toEqual([0, 2, 4, 1, 3]);
});

test("values are numbers where they are, and what is pinned stays on top", () => {
  const rows = [row(0, 1, "ok", ["16"]), row(1, 1, "ok", ["4"]), row(2, 1, "ok", [""]), row(3, 1, "ok", ["128"], true)];
  expect(order(rows, 0)).toEqual([3, 1, 0, 2]);
  expect(order([row(0, 1, "ok", ["k, i"]), row(1, 1, "ok", ["i, k"])], 0)).toEqual([1, 0]);
  expect(order([row(0, 1, "wrong"), row(1, 1, "hung"), row(2, 1, "ok")], "state")).toEqual([1, 2, 0]);
});

test("a second press sorts the other way round", () => {
  const first = pressed({ by: "seconds", down: false }, "state");
  expect(first).toEqual({ by: "state", down: false });
  expect(pressed(first, "state")).toEqual({ by: "state", down: true });
  expect(pressed(pressed(first, "state"), "state").down).toBe(false);
});

test("the best so far falls in steps, up to the last trial", () => {
  expect(corners([{ number: 0, seconds: 4 }, { number: 3, seconds: 2 }], 5)).toEqual([[0, 4], [3, 4], [3, 2], [5, 2]]);
  expect(corners([], 5)).toEqual([]);
});
