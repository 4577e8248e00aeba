import { expect, test } from "vitest";
import { amount, heatByKey, heatByPart, METRICS, shownAmount } from "../src/heat";
import type { CostLine, LoopTimeLine, LoopTimesState, WhyThisFast } from "../src/states";

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
  expect(heatByKey({ costs: lines }, "operations").get("C/i")?.share).toBe(0.25);
  expect(heatByPart({ costs: lines }, "operations").get(0)?.share).toBe(1);
});

test("without a metric nothing is hot", () => {
  expect(heatByKey({ costs: lines }, "none").size).toBe(0);
  expect(heatByPart({ costs: lines }, "none").size).toBe(0);
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
  const heat = heatByKey({ costs: lines, times }, "seconds");
  expect(heat.get("C")).toMatchObject({ share: 0.5, text: "2.00 ms" });
  expect(heat.get("C")?.title).toBe("2.00 ms, 50.0 % of the kernel; 1.00 ms its own; all its tasks together 4.00 ms");
  expect(heat.get("C/i")?.text).toBe("1.00 ms");
  expect(heat.get("C/i")?.title).toContain("entered 1,024 times");
  expect(heatByPart({ costs: lines, times }, "own").get(0)?.text).toBe("1.00 ms");
});

test("what is not known has no heat, and old times say of which step they are", () => {
  expect(heatByKey({ costs: lines, times }, "seconds").has("C/j")).toBe(false);
  expect([...heatByKey({ costs: lines, times }, "own").keys()]).toEqual(["C"]);
  expect(heatByKey({ costs: lines }, "seconds").size).toBe(0);
  expect(heatByKey({ costs: lines, times: { ...times, stale: true } }, "seconds").get("C/i")?.title).toMatch(/no timer of its own.*; as of step 3$/);
});

test("predicted times are a metric of their own, and say so", () => {
  const speed = { predicted: 4e-3, times: [{ key: "C", part: 0, seconds: 4e-3 }, { key: "C/i", part: 1, seconds: 1e-3 }] } as unknown as WhyThisFast;
  const heat = heatByKey({ costs: lines, times, speed }, "predicted");
  expect(heat.get("C/i")).toMatchObject({ share: 0.25, text: "predicted 1.00 ms" });
  expect(heatByPart({ costs: [], speed }, "predicted").get(0)?.share).toBe(1);
  expect(heatByKey({ costs: lines }, "predicted").size).toBe(0);
  expect(METRICS.predicted).toBe("time (predicted)");
});
