import { expect, test } from "vitest";
import { beside, brief, facts, limitBars, portBars } from "../src/speed";
import type { InnerLoopSpeed, WhyThisFast } from "../src/states";

const loop: InnerLoopSpeed = {
  name: "C.k", stage: "C", loop: "k", part: 3, label: ".LBB0_4", share: 1, iterations: 2097152, steps: 8, cycles: 32, rule: "latency chain",
  limits: [{ name: "latency chain", cycles: 32, about: "waits" }, { name: "ports", cycles: 8, about: "p2, p3" }],
  instructions: 20, kinds: { loads: 8, jump: 1 }, bits: 32, lanes: 1, loads: 16, stores: 0, spills: 0, calls: [],
  ports: { p0: 4, p2: 8 }, ports_by: "tewb's table", simulated: 32.08, simulated_by: "skylake", lines: [], once: false,
};

test("the limit that rules is marked, and bars are shares of the largest", () => {
  expect(limitBars(loop).map((b) => [b.name, b.share, b.rules])).toEqual([["latency chain", 1, true], ["ports", 0.25, false]]);
  expect(portBars(loop).map((b) => [b.name, b.text, b.rules])).toEqual([["p0", "4", false], ["p2", "8", true]]);
});

test("facts tell steps, widths and what llvm-mca says, or why it says nothing", () => {
  const rows = Object.fromEntries(facts(loop));
  expect(rows["cycles an iteration"]).toBe("32, for 8 steps of k");
  expect(rows["arithmetic"]).toBe("32 bits, one number at a time");
  expect(rows["llvm-mca"]).toBe("32.1 cycles (skylake)");
  const without = Object.fromEntries(facts({ ...loop, simulated: null, simulated_by: "llvm-mca is not on this machine", bits: 512, lanes: 16, calls: ["sinf"] }));
  expect(without["llvm-mca"]).toBe("llvm-mca is not on this machine");
  expect(without["arithmetic"]).toBe("512 bits, 16 numbers at once");
  expect(without["calls"]).toBe("sinf");
});

test("code without a loop has cycles of a call", () => {
  const rows = Object.fromEntries(facts({ ...loop, once: true, loop: null, iterations: 1, steps: 1 }));
  expect(rows["cycles of a call"]).toBe("32");
  expect(rows["cycles an iteration"]).toBeUndefined();
});

test("numbers are brief, and what is not known is not said", () => {
  expect([brief(32), brief(2.484), brief(0.0812)]).toEqual(["32", "2.48", "0.0812"]);
  const known = { predicted: 0.02, gflops: 1.68, measured: null, roof: null, intensity: null } as WhyThisFast;
  expect(beside(known)).toBe("predicted 20.0 ms, 1.68 GFLOP/s");
  expect(beside({ ...known, measured: 0.025 })).toContain("measured 25.0 ms");
});
