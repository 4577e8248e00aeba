/** The heat of a loop: its share of a metric, of all that the program does. */
import type { CostLine, LoopTimeLine, LoopTimesState, WhyThisFast } from "./states";
import { digits, grouped, shownBytes, shownTime } from "./units";

export const METRICS = {
  none: "no costs",
  iterations: "iterations",
  operations: "operations",
  bytes: "bytes moved",
  calls: "foreign calls",
  predicted: "time (predicted)",
  seconds: "time (measured)",
  own: "own time (measured)",
} as const;
export type Metric = keyof typeof METRICS;
type TimeMetric = "seconds" | "own";
type Counted = Exclude<Metric, TimeMetric | "predicted">;

/** What the metrics are taken from; each is there when it is needed. */
export interface Costs {
  costs: readonly CostLine[];
  times?: LoopTimesState | undefined;
  speed?: WhyThisFast | undefined;
}

export function isTime(metric: Metric): metric is TimeMetric {
  return metric === "seconds" || metric === "own";
}

/** A counted metric of a stage or loop. */
export function amount(line: CostLine, metric: Counted): number {
  if (metric === "bytes") return line.loaded + line.stored;
  return metric === "none" ? 0 : line[metric];
}

/** A counted metric in words: "268,435,456 operations", "1.5 GiB moved". */
export function shownAmount(line: CostLine, metric: Counted): string {
  const n = amount(line, metric);
  if (metric === "bytes") return `${shownBytes(n)} moved`;
  return metric === "none" ? "" : `${count(n)} ${METRICS[metric]}`;
}

function count(n: number): string {
  return n < 1000 ? digits(n).replace(/\.0+$/, "") : grouped(Math.round(n));
}

export interface Heat {
  /** From 0 to 1. */
  share: number;
  text: string;
  /** More of it, for who asks. */
  title: string;
}

interface Hot extends Heat {
  key: string;
  part: number;
}

/** The heat of every stage and loop, by the name of its row in the tree. */
export function heatByKey(costs: Costs, metric: Metric): Map<string, Heat> {
  return new Map(hotLines(costs, metric).map((hot) => [hot.key, hot]));
}

/** The same by the numbers that lines of code have for stages and loops. */
export function heatByPart(costs: Costs, metric: Metric): Map<number, Heat> {
  return new Map(hotLines(costs, metric).map((hot) => [hot.part, hot]));
}

function hotLines({ costs, times, speed }: Costs, metric: Metric): Hot[] {
  if (isTime(metric)) return times ? hotTimes(times, metric) : [];
  if (metric === "predicted") return speed ? hotPredictions(speed) : [];
  if (metric === "none") return [];
  const most = Math.max(...costs.map((l) => amount(l, metric)), 1);
  return costs.map((line) => {
    const text = shownAmount(line, metric);
    return { key: line.key, part: line.part, share: amount(line, metric) / most, text, title: text };
  });
}

function hotPredictions(speed: WhyThisFast): Hot[] {
  return speed.times.map(({ key, part, seconds }) => {
    const text = `predicted ${shownTime(seconds)}`;
    return { key, part, share: Math.min(seconds / (speed.predicted || 1), 1), text, title: text };
  });
}

function hotTimes(times: LoopTimesState, metric: TimeMetric): Hot[] {
  const whole = times.whole || 1;
  return times.lines.flatMap((line) => {
    const seconds = line[metric];
    if (seconds === null) return []; // not known
    const text = metric === "own" ? shownTime(seconds) : inclusive(line, seconds);
    return [{ key: line.key, part: line.part, share: Math.min(seconds / whole, 1), text, title: aboutTime(line, times) }];
  });
}

const KNOWN = {
  timed: "",
  around: "no timer of its own: the time of what is around it",
  some: "parts of it have no timer",
  not: "",
};

function inclusive(line: LoopTimeLine, seconds: number): string {
  return (line.known === "some" ? "≥ " : "") + shownTime(seconds);
}

/** All that is known of the time of a loop: "1.20 ms, 60 % of the kernel; 0.40 ms its own; entered 64 times". */
function aboutTime(line: LoopTimeLine, times: LoopTimesState): string {
  const seconds = line.seconds ?? 0;
  const share = times.whole ? `, ${digits((100 * seconds) / times.whole)} % of the kernel` : "";
  return [
    inclusive(line, seconds) + share,
    line.own === null ? "" : `${shownTime(line.own)} its own`,
    line.entries === 1 ? "" : `entered ${count(line.entries)} times`,
    line.tasks === null ? "" : `all its tasks together ${shownTime(line.tasks)}`,
    KNOWN[line.known],
    times.stale ? `as of step ${times.steps}` : "",
  ]
    .filter(Boolean)
    .join("; ");
}
