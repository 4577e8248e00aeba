import { expect, test } from "vitest";
import { Text } from "@codemirror/state";
import { lastLines, tokens } from "../src/code/language";
import { lightOf } from "../src/code/linked";
import { change, changes, isLeft } from "../src/code/text_changes";
import { day } from "../src/keeping";
import { inOrder, matches } from "../src/match";
import { logScale, ticks } from "../src/parts/axes";
import type { Link } from "../src/states";
import { digits, shownBytes, shownGain, shownTime } from "../src/units";

const apply = (old: string, edit: ReturnType<typeof change>) => (edit ? old.slice(0, edit.from) + edit.insert + old.slice(edit.to) : old);

test("the smallest change leads to the new text", () => {
  for (const [a, b] of [["", "x"], ["abc", "abc"], ["for i:\n  a", "for i.outer:\n  for i.inner:\n    a"], ["aaa", "aa"], ["aa", "aaaa"], ["xyx", "yxy"], ["abc", ""]] as const) {
    expect(apply(a, change(a, b))).toBe(b);
  }
  expect(change("same", "same")).toBeNull();
});

test("a change in the middle leaves the rest alone", () => {
  expect(change("head\nold\ntail", "head\nnew line\ntail")).toEqual({ from: 5, to: 8, insert: "new line" });
});

const applyAll = (old: string, edits: ReturnType<typeof changes>) => edits.reduceRight((text, e) => apply(text, e), old);

test("lines that stay are left alone, wherever the others are", () => {
  expect(changes("a\nb\nc\nd\ne", "a\nB\nc\nd\nE")).toEqual([
    { from: 2, to: 3, insert: "B" },
    { from: 8, to: 9, insert: "E" },
  ]);
  expect(changes("same", "same")).toEqual([]);
});

test("changes lead to the new text, for texts of any lines", () => {
  let seed = 7;
  const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  for (let round = 0; round < 400; round++) {
    const lines = Array.from({ length: next(14) }, () => `${"xyzuvw"[next(6)]}${next(3)}`);
    const other = lines.filter(() => next(4) > 0).flatMap((l) => (next(4) ? [l] : [l, `n${next(9)}`]));
    const [a, b] = [lines.join("\n"), (next(3) ? other : other.reverse()).join("\n")];
    const found = changes(a, b);
    expect(applyAll(a, found)).toBe(b);
    expect(found.every((c, i) => i === 0 || found[i - 1]!.to <= c.from)).toBe(true);
  }
});

test("a line folds with what is indented below it, and blank lines end nothing", () => {
  expect(lastLines(Text.of(["def", "  for", "    a", "", "    b", "  c", "", "end"]))).toEqual([6, 5, 3, 4, 5, 6, 7, 8]);
  expect(lastLines(Text.of(["  a", "b", "  c", ""]))).toEqual([1, 3, 3, 4]);
});

const coloured = (kind: string, text: string) => tokens(kind, text).map((t) => `${t.colour} ${text.slice(t.from, t.to)}`);

test("IR and Python are coloured by their words, and names with dots are not cut", () => {
  expect(coloured("ir", "@T.prim_func\nfor i.in.for in T.parallel(8):  # hot")).toEqual(["meta @T.prim_func", "keyword for", "keyword in", "number 8", "comment # hot"]);
  expect(coloured("te", 'λ2 = x1[1e-5] if "a # b" else range(0x1f)')).toEqual(["number 1e-5", "keyword if", 'string "a # b"', "keyword else", "type range", "number 0x1f"]);
  expect(coloured("python", 'def f():\n  """two\n  lines"""\n  return None')).toEqual(["keyword def", 'string """two\n  lines"""', "keyword return", "keyword None"]);
  expect(coloured("python", '"""open\nto the end')).toEqual(['string """open\nto the end']);
});

test("machine code is coloured", () => {
  expect(coloured("llvm", "loop.1:\n  %x.2 = fadd fast <8 x float> %a, %b, !dbg !7 ; sum")).toEqual([
    "meta loop.1:", "keyword fadd", "number 8", "keyword x", "type float", "meta !dbg", "meta !7", "comment ; sum",
  ]);
  expect(coloured("assembly", ".LBB0_1:\n  vmovups -64(%rax), %zmm0 # spill\n  .p2align 4")).toEqual(["meta .LBB0_1:", "number -64", "comment # spill", "meta .p2align", "number 4"]);
});

test("a line is lit by its own loops and steps, and dimly by those around it", () => {
  const link: Link = { stage: "C", loop: "i", steps: [2], parts: [5], steps_around: [1], parts_around: [4] };
  const lit = (parts: number[], steps: number[] = []) => lightOf(link, { parts: new Set(parts), steps: new Set(steps) });
  expect([lit([5]), lit([], [2]), lit([4]), lit([], [1]), lit([9]), lit([])]).toEqual(["lit", "lit", "around", "around", "", ""]);
  expect(lightOf(undefined, { parts: new Set([1]), steps: new Set() })).toBe("");
});

test("letters in order find an item, together and at the beginning of words first", () => {
  const names = ["reorder(C)", "vectorize(C, axis=j)", "tile(C)", "Redo"];
  expect(matches("vec", names, (x) => x)).toEqual(["vectorize(C, axis=j)"]);
  expect(matches("re", names, (x) => x).slice(0, 2)).toEqual(["reorder(C)", "Redo"]);
  expect(matches("", names, (x) => x)).toEqual(names);
  expect(matches("zzz", names, (x) => x)).toEqual([]);
});

test("what a name means comes first, what is refused last, and what only has the letters not at all", () => {
  const entry = (text: string, note = "") => ({ text, note });
  const meant = [entry("split(C, axis=i)", "C: i.outer"), entry("split(C, axis=q)", "✗ it has no axis q")];
  const others = [entry("split(C, axis=i)"), entry("unroll(C.split, axis=t)"), entry("cache it as a spilt")];
  const found = (words: string, given = meant) => inOrder(words, given, others).map((e) => e.text);
  expect(found("split")).toEqual(["split(C, axis=i)", "unroll(C.split, axis=t)", "split(C, axis=q)"]);
  expect(found("split q 8")).toEqual(["split(C, axis=i)", "split(C, axis=q)", "unroll(C.split, axis=t)", "cache it as a spilt"]);
  expect(found("split", [])).toEqual(others.map((e) => e.text));
});

test("numbers have three digits and a unit, however small", () => {
  expect(shownTime(0.0000046)).toBe("4.60 µs");
  expect(shownTime(0.25)).toBe("250 ms");
  expect(shownTime(3.1e-9)).toBe("3.10 ns");
  expect([digits(0.0046), digits(12.34), digits(1234.5), digits(0)]).toEqual(["0.00460", "12.3", "1,235", "0"]);
  expect([shownBytes(384), shownBytes(278528), shownBytes(2 ** 24)]).toEqual(["384 B", "272 KiB", "16 MiB"]);
});

test("what was kept is of today, yesterday, or a day", () => {
  const now = new Date(2026, 10, 29, 0, 30);
  expect(day(new Date(2026, 10, 28, 23, 50).getTime() / 1000, now)).toBe("yesterday");
  expect(day(now.getTime() / 1000, now)).toMatch(/^today/);
  expect(day(new Date(2026, 2, 3).getTime() / 1000, now)).toMatch(/3|March/);
});

test("a line is left where no change touches it", () => {
  const made = changes("a\nbb\nc\nd\ne\n", "a\nx\nc\ny\nz\nd\nE\n");
  expect([isLeft(made, 0, 1), isLeft(made, 2, 4), isLeft(made, 5, 6), isLeft(made, 7, 8)]).toEqual([true, false, true, true]);
  expect(isLeft([], 0, 9)).toBe(true);
});

test("axes are logarithmic, with round ticks inside of them", () => {
  const x = logScale(1, 100, 0, 200);
  expect([x(1), x(10), x(100)]).toEqual([0, 100, 200]);
  expect(ticks(0.9, 60)).toEqual([1, 2, 5, 10, 20, 50]);
  expect(ticks(1e-6, 1e3).every((t) => t >= 1e-6 && t <= 1e3)).toBe(true);
});

test("a predicted gain is said in words", () => {
  expect(shownGain(46.43)).toBe("about 46.4 times as fast, as predicted");
  expect(shownGain(1.01)).toBe("no gain is predicted; a trial tells");
  expect(shownGain(0.7)).toBe("no gain is predicted; a trial tells");
});
