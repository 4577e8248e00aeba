import { expect, test } from "vitest";
import { kept, patched, type Patch } from "../src/patches";

const state = (text: string) => ({ text, link_of: [0, 1], problem: null });

test("fields are replaced, lines are cut and put in, and the old state stays as it is", () => {
  const old = state("a\nb\nc\nd");
  const patch: Patch = { since: 1, fields: { link_of: [7] }, lines: { text: [[0, 1, []], [2, 2, ["x", "y"]], [3, 4, ["D"]]] } };
  expect(patched(old, patch)).toEqual({ text: "b\nx\ny\nc\nD", link_of: [7], problem: null });
  expect(old).toEqual(state("a\nb\nc\nd"));
  expect(patched(old, { since: 1, fields: {}, lines: {} })).toEqual(old);
});

test("what is equal is taken from before, at any depth", () => {
  const old = { a: [1, 2, { x: null }], b: { c: "d", e: [] as number[] }, n: NaN };
  expect(kept(old, structuredClone(old))).toBe(old);
  const now = kept(old, { a: [1, 2, { x: null }], b: { c: "d", e: [0] }, n: NaN });
  expect(now).toEqual({ a: [1, 2, { x: null }], b: { c: "d", e: [0] }, n: NaN });
  expect(now.a).toBe(old.a);
  expect(now.b).not.toBe(old.b);
  for (const [was, is] of [[[1], [1, 2]], [[1, 2], [1]], [[], {}], [null, {}], [{ a: 1, b: 2 }, { a: 1 }]])
    expect(kept(was, structuredClone(is))).toStrictEqual(is);
});

test("only line breaks part lines, as in Python's split", () => {
  const old = state("a\r\u2028b\u0085😀\n\nc");
  expect(patched(old, { since: 1, fields: {}, lines: { text: [[1, 2, ["é😀"]]] } })["text"]).toBe("a\r\u2028b\u0085😀\né😀\nc");
});

test("cuts of any lines", () => {
  let seed = 11;
  const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: 1 + next(20) }, () => `l${next(5)}`);
    const cuts: [number, number, string[]][] = [];
    for (let at = next(4); at <= lines.length; at += 1 + next(4)) {
      const end = Math.min(at + next(3), lines.length);
      cuts.push([at, end, Array.from({ length: next(3) }, () => `n${next(5)}`)]);
      at = end;
    }
    const expected = [...lines];
    for (const [start, end, instead] of [...cuts].reverse()) expected.splice(start, end - start, ...instead);
    expect(patched(state(lines.join("\n")), { since: 0, fields: {}, lines: { text: cuts } })["text"]).toBe(expected.join("\n"));
  }
});
