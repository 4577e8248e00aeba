import { expect, test } from "vitest";
import type { ParallelLoop, ThreadBar } from "../src/states";
import { barText, nextBar, serialParts } from "../src/timeline";

const bar = (thread: number, begin: number, more: Partial<ThreadBar> = {}): ThreadBar => ({
  thread, loop: 0, depth: 0, begin, end: begin + 1e-3, busy: 1e-3, first: 8, last: 15, iterations: 8, tasks: 1, bytes: 0, allocations: 0, ...more,
});
const loops = [{ name: "C.i" }] as unknown as ParallelLoop[];

test("a bar says its iterations, its time and its memory", () => {
  expect(barText(bar(1, 0), loops)).toBe("thread 1: iterations 8 to 15 of C.i in 1.00 ms, from 0 ns");
  expect(barText(bar(0, 2e-3, { first: 3, last: 3, iterations: 1, bytes: 65536, allocations: 2 }), loops)).toBe(
    "thread 0: iteration 3 of C.i in 1.00 ms, from 2.00 ms; 64 KiB in 2 allocations",
  );
});

test("bars of several tasks and of several loops say so", () => {
  expect(barText(bar(0, 0, { iterations: 4, tasks: 1200 }), loops)).toContain("4 iterations between 8 and 15 of C.i, 1,200 tasks in");
  expect(barText(bar(0, 0, { loop: null, iterations: 4, tasks: 3 }), loops)).toContain("4 iterations of several loops, 3 tasks in");
});

const bars = [bar(0, 0), bar(0, 2), bar(0, 5), bar(2, 0.5), bar(2, 4)];

test.each([
  [0, "ArrowRight", 1], [2, "ArrowRight", 2], [1, "ArrowLeft", 0], [0, "ArrowLeft", 0], [1, "Home", 0], [0, "End", 2], [3, "End", 4],
  [2, "ArrowDown", 4], [0, "ArrowDown", 3], [3, "ArrowUp", 0], [4, "ArrowUp", 2], [0, "ArrowUp", 0], [4, "ArrowDown", 4], [-1, "ArrowDown", 0],
])("from bar %i, %s leads to %i", (at, key, to) => {
  expect(nextBar(bars, at, key)).toBe(to);
});

test("without bars there is no way", () => {
  expect(nextBar([], 0, "ArrowDown")).toBe(0);
});

test("what is between parallel loops is serial", () => {
  const span = (begin: number, end: number) => ({ loop: 0, begin, end, runs: 1 });
  expect(serialParts({ seconds: 10, spans: [span(1, 3), span(3, 4), span(6, 9)] })).toEqual([[0, 1], [4, 6], [9, 10]]);
  expect(serialParts({ seconds: 2, spans: [] })).toEqual([[0, 2]]);
  expect(serialParts({ seconds: 2, spans: [span(0, 2)] })).toEqual([]);
});
