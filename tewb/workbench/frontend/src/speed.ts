/** What an inner loop takes, in words and shares. */
import type { InnerLoopSpeed, WhyThisFast } from "./states";
import { digits, grouped, shownTime } from "./units";

/** A number without digits that say nothing: "32", "2.48". */
export const brief = (x: number): string => String(Number(x.toPrecision(3)));

export interface Bar {
  name: string;
  /** Of the largest one, from 0 to 1. */
  share: number;
  text: string;
  title: string;
  rules: boolean;
}

/** The limits of a loop; the one that rules is marked. */
export function limitBars(loop: InnerLoopSpeed): Bar[] {
  const most = Math.max(...loop.limits.map((l) => l.cycles), 0.01);
  return loop.limits.map((l) => ({ name: l.name, share: l.cycles / most, text: brief(l.cycles), title: l.about, rules: l.name === loop.rule }));
}

/** The cycles of each port, the busiest of which is full. */
export function portBars(loop: InnerLoopSpeed): Bar[] {
  const most = Math.max(...Object.values(loop.ports), 0.01);
  return Object.entries(loop.ports).map(([name, cycles]) => ({ name, share: cycles / most, text: brief(cycles), title: "", rules: cycles > 0.98 * most }));
}

/** What an iteration is made of: the rows of a table. */
export function facts(loop: InnerLoopSpeed): [string, string][] {
  const width = loop.bits === 0 ? "no floats or vectors" : loop.lanes > 1 ? `${loop.bits} bits, ${loop.lanes} numbers at once` : `${loop.bits} bits, one number at a time`;
  const rows: [string, string][] = [
    loop.once
      ? ["cycles of a call", brief(loop.cycles)]
      : ["cycles an iteration", `${brief(loop.cycles)}, for ${brief(loop.steps)} step${loop.steps === 1 ? "" : "s"} of ${loop.loop ?? "the loop"}`],
    ["iterations of a call", grouped(Math.round(loop.iterations))],
    ["instructions", `${loop.instructions}: ${Object.entries(loop.kinds).map(([kind, n]) => `${n} ${kind}`).join(", ")}`],
    ["arithmetic", width],
    ["loads, stores, spills", `${loop.loads}, ${loop.stores}, ${loop.spills}`],
  ];
  if (loop.calls.length) rows.push(["calls", loop.calls.join(", ")]);
  rows.push(["llvm-mca", loop.simulated === null ? loop.simulated_by : `${brief(loop.simulated)} cycles (${loop.simulated_by})`]);
  return rows;
}

/** The prediction beside what was measured, and the roofline. */
export function beside(known: WhyThisFast): string {
  const said: string[] = [];
  if (known.predicted !== null) said.push(`predicted ${shownTime(known.predicted)}${known.gflops === null ? "" : `, ${digits(known.gflops)} GFLOP/s`}`);
  if (known.measured !== null) said.push(`measured ${shownTime(known.measured)}`);
  if (known.roof !== null && known.intensity !== null) said.push(`the roof is at ${digits(known.roof)} GFLOP/s at ${digits(known.intensity)} operations for each byte`);
  return said.join("; ");
}
