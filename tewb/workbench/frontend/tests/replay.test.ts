import { expect, test } from "vitest";
import { accessesOf, numbers, Replay, taskOf } from "../src/replay";
import type { Data, DataBuffer } from "../src/states";

const buffer = (name: string, more: Partial<DataBuffer> = {}): DataBuffer => ({
  name, kind: "input", dtype: "float32", shape: [2, 32], strides: [32, 1], item: 4, elements: 64, part: 0, use: "", ...more,
});
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const text = (...given: number[]) =>
  given
    .map((n) => {
      let rest = Math.abs(n) * 2 + (n < 0 ? 1 : 0);
      let said = "";
      for (; rest > 31; rest = Math.floor(rest / 32)) said += DIGITS[(rest % 32) + 32];
      return said + DIGITS[rest];
    })
    .join("");

/** Loops i and k (parallel when asked for); A is read at [0] and [16], then both again; B is written once as a vector. */
const data = (more: Partial<Data> = {}): Data => ({
  buffers: [buffer("A"), buffer("B")],
  loops: [
    { name: "i", key: "C/i", extent: 4, parallel: false },
    { name: "k", key: "C/k", extent: 2, parallel: false },
  ],
  sites: [
    { buffer: 0, writes: false, loops: [0, 1], line: 3, lanes: "" },
    { buffer: 1, writes: true, loops: [0], line: 4, lanes: text(1, 1, 30) },
  ],
  count: 5,
  events: text(0, 0, 0, 0, 0, /**/ 0, 16, 1, 1, /**/ 0, -16, 0, 1, -1, /**/ 0, 16, 1, 1, /**/ 1, 0, 1),
  complete: true, said: "", bound: "", basis: "", cache: { name: "L1", bytes: 128, line: 64, lines: 2 }, threads: 1, form: "lowered", problem: null,
  ...more,
});

test("numbers are read as Python writes them", () => {
  expect(numbers("ACDegBhB")).toEqual([0, 1, -1, 15, 16, -16]);
  expect(numbers(text(5, -1_000_000, 2 ** 40, 31, 32))).toEqual([5, -1_000_000, 2 ** 40, 31, 32]);
});

test("accesses have their elements and the values of the loops around", () => {
  expect(accessesOf(data())).toEqual([
    { site: 0, at: 0, values: [0, 0] },
    { site: 0, at: 16, values: [0, 1] },
    { site: 0, at: 0, values: [1, 0] },
    { site: 0, at: 16, values: [1, 1] },
    { site: 1, at: 0, values: [1] },
  ]);
});

test("lines are fetched once, used again, and lost when the cache is full", () => {
  const replay = new Replay(data(), 2);
  replay.goto(1);
  expect(replay.tallies[0]).toMatchObject({ fetched: 2, reused: 0, lost: 0 });
  expect(replay.step.fetched).toEqual([1]);
  replay.goto(3);
  expect(replay.tallies[0]).toMatchObject({ fetched: 2, reused: 2 });
  expect(replay.step).toMatchObject({ fetched: [], reused: [1] });
  replay.goto(4); // elements 0, 1, 2 and 32 of B: two lines, and both of A go
  expect(replay.step).toEqual({ fetched: [0, 2], reused: [], lost: [[0, 0], [0, 1]] });
  expect(replay.tallies[0]!.lost).toBe(2);
  expect([replay.holds(0, 0), replay.holds(1, 0), replay.holds(1, 2)]).toEqual([false, true, true]);
});

test("the one that was used longest ago is lost", () => {
  const replay = new Replay(data({ count: 3, events: text(0, 0, 0, 0, 0, /**/ 0, 16, 1, 1, /**/ 0, -16, 0, 1, -1) }), 1);
  replay.goto(2);
  expect(replay.tallies[0]).toMatchObject({ fetched: 3, reused: 0, lost: 2 });
});

test("going back is as if one had never been further", () => {
  const [replay, other] = [new Replay(data(), 2), new Replay(data(), 2)];
  replay.goto(4);
  replay.goto(1);
  other.goto(1);
  expect(replay.tallies).toEqual(other.tallies);
  expect(replay.time).toBe(1);
  replay.goto(99);
  expect(replay.time).toBe(4);
});

test("what was written last is told from what was read", () => {
  const replay = new Replay(data(), 9);
  replay.goto(4);
  expect(replay.tallies[0]!.last.get(16)).toBe(4);
  expect(replay.tallies[1]!.last.get(32)).toBe(-5);
  expect(replay.elements(replay.accesses[4]!)).toEqual([0, 1, 2, 32]);
});

test("threads share the tasks of a parallel loop, and each has a cache of its own", () => {
  const loops = data().loops.map((l, i) => ({ ...l, parallel: i === 0, extent: 2 }));
  const replay = new Replay(data({ loops, threads: 2 }), 9);
  replay.goto(3);
  expect(replay.tallies[0]).toMatchObject({ fetched: 4, reused: 0 });
  expect(replay.accesses.map((a) => taskOf(replay.data, a))).toEqual([0, 0, 1, 1, 1]);
  expect(taskOf(data(), replay.accesses[0]!)).toBe(-1);
  expect(replay.tallies[0]!.tasks.get(0)).toBe(1);
});
