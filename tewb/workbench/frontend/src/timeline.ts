/** A timeline of threads in words, and the ways through it by key. */
import type { ParallelLoop, ThreadBar, ThreadTimeline } from "./states";
import { counted, shownBytes, shownTime } from "./units";

/** What a bar is: "thread 1: iterations 8 to 15 of C.i in 310 µs, from 12.0 µs; 64 KiB in 8 allocations". */
export function barText(bar: ThreadBar, loops: readonly ParallelLoop[]): string {
  const loop = bar.loop === null ? undefined : loops[bar.loop];
  const some = bar.last - bar.first + 1 === bar.iterations ? (bar.iterations === 1 ? `iteration ${bar.first}` : `iterations ${bar.first} to ${bar.last}`) : `${counted(bar.iterations, "iteration")} between ${bar.first} and ${bar.last}`;
  const what = loop ? `${some} of ${loop.name}` : `${counted(bar.iterations, "iteration")} of several loops`;
  const tasks = bar.tasks > 1 ? `, ${counted(bar.tasks, "task")}` : "";
  const memory = bar.allocations ? `; ${shownBytes(bar.bytes)} in ${counted(bar.allocations, "allocation")}` : "";
  return `thread ${bar.thread}: ${what}${tasks} in ${shownTime(bar.busy)}, from ${shownTime(bar.begin)}${memory}`;
}

/** The bar that a key leads to: along its thread, or to the bar of the next thread that is nearest in time. */
export function nextBar(bars: readonly ThreadBar[], at: number, key: string): number {
  const now = bars[at];
  if (!now) return 0;
  const on = (thread: number | undefined) => bars.flatMap((b, i) => (b.thread === thread ? [i] : []));
  const mine = on(now.thread);
  const [first, last] = [mine[0]!, mine.at(-1)!];
  const along: Record<string, number> = { Home: first, End: last, ArrowLeft: Math.max(at - 1, first), ArrowRight: Math.min(at + 1, last) };
  if (key in along) return along[key]!;
  const others = on(bars[key === "ArrowUp" ? first - 1 : last + 1]?.thread);
  const far = (i: number) => Math.abs(bars[i]!.begin - now.begin);
  return others.length ? others.reduce((a, b) => (far(b) < far(a) ? b : a)) : at;
}

/** When no parallel loop ran, from and to: then thread 0 works alone. */
export function serialParts(t: Pick<ThreadTimeline, "spans" | "seconds">): [number, number][] {
  const ends = [0, ...t.spans.map((s) => s.end)];
  return ends.map((end, i): [number, number] => [end, t.spans[i]?.begin ?? t.seconds]).filter(([a, b]) => b > a);
}
