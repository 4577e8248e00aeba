import { expect, test } from "vitest";
import { amount, heatByKey, heatByPart, shownAmount } from "../src/heat";
import type { CostLine, LoopTimeLine, LoopTimesState } from "../src/states";

const line = (key: string, part: number, more: Partial<CostLine> = {}): CostLine => ({
  key, part, iterations: 0, operations: 0, loaded: 0, stored: 0, calls: 0, ...more,
});
const lines = [line("C", 0, { operations: 200, loaded: 1024, stored: 1024 }), line("C/i", 1, { operations: 50, iterations: 8 })];

test("bytes are those that are loaded and stored", () => {
  expect(amount(lines[0]!, "bytes")).toBe(2048);
  expect(shownAmount(lines[0]!, "bytes")).toBe("2 KiB moved");
  expect(shownAmount(lines[1]!, "iterations")).toBe("8 iterations");
});

test("heat is the share of the most", () => {
  expect(heatByKey(lines, undefined, "operations").get("C/i")?.share).toBe(0.25);
  expect(heatByPart(lines, undefined, "operations").get(0)?.share).toBe(1);
});

test("without a metric nothing is hot", () => {
  expect(heatByKey(lines, undefined, "none").size).toBe(0);
  expect(heatByPart(lines, undefined, "none").size).toBe(0);
});

const timed = (key: string, part: number, more: Partial<LoopTimeLine>): LoopTimeLine => ({
  key, part, seconds: null, own: null, entries: 1, tasks: null, known: "not", most: 2e-3, ...more,
});
const times: LoopTimesState = {
  lines: [
    timed("C", 0, { seconds: 2e-3, own: 1e-3, known: "timed", tasks: 4e-3 }),
    timed("C/i", 1, { seconds: 1e-3, entries: 1024, known: "around" }),
    timed("C/j", 2, {}),
  ],
  whole: 4e-3, slowdown: 0.02, steps: 3, stale: false, said: "",
};

test("measured times are shares of the kernel", () => {
  const heat = heatByKey(lines, times, "seconds");
  expect(heat.get("C")).toMatchObject({ share: 0.5, text: "2.00 ms" });
  expect(heat.get("C")?.title).toBe("2.00 ms, 50.0 % of the kernel; 1.00 ms its own; all its tasks together 4.00 ms");
  expect(heat.get("C/i")?.text).toBe("≤ 1.00 ms");
  expect(heat.get("C/i")?.title).toContain("entered 1,024 times");
  expect(heatByPart(lines, times, "own").get(0)?.text).toBe("1.00 ms");
});

test("what is not known has no heat, and old times say of which step they are", () => {
  expect(heatByKey(lines, times, "seconds").get("C/j")).toMatchObject({ share: 0, text: "≤ 2.00 ms" });
  expect([...heatByKey(lines, times, "own").keys()]).toEqual(["C"]);
  expect(heatByKey(lines, undefined, "seconds").size).toBe(0);
  expect(heatByKey(lines, { ...times, stale: true }, "seconds").get("C/i")?.title).toMatch(/no timer of its own.*; as of step 3$/);
});
