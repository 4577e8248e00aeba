/** The heat of a loop: its share of a metric, of all that the program does. */
import type { CostLine } from "./states";
import { digits, shownBytes } from "./units";

export const METRICS = {
  none: "no costs",
  iterations: "iterations",
  operations: "operations",
  bytes: "bytes moved",
  calls: "foreign calls",
} as const;
export type Metric = keyof typeof METRICS;

/** A metric of a stage or loop. */
export function amount(line: CostLine, metric: Metric): number {
  if (metric === "bytes") return line.loaded + line.stored;
  return metric === "none" ? 0 : line[metric];
}

/** A metric in words: "268,435,456 operations", "1.5 GiB moved". */
export function shownAmount(line: CostLine, metric: Metric): string {
  const n = amount(line, metric);
  if (metric === "bytes") return `${shownBytes(n)} moved`;
  return metric === "none" ? "" : `${n < 1000 ? digits(n).replace(/\.0+$/, "") : Math.round(n).toLocaleString("en")} ${METRICS[metric]}`;
}

export interface Heat {
  /** From 0 to 1. */
  share: number;
  text: string;
}

/** The heat of every stage and loop, by the name of its row in the tree. */
export function heatByKey(lines: readonly CostLine[], metric: Metric): Map<string, Heat> {
  const most = Math.max(...lines.map((l) => amount(l, metric)), 1);
  const found = new Map<string, Heat>();
  if (metric === "none") return found;
  for (const line of lines) found.set(line.key, { share: amount(line, metric) / most, text: shownAmount(line, metric) });
  return found;
}

/** The same by the numbers that lines of code have for stages and loops. */
export function heatByPart(lines: readonly CostLine[], metric: Metric): Map<number, Heat> {
  const byKey = heatByKey(lines, metric);
  return new Map(lines.flatMap((l) => (byKey.has(l.key) ? [[l.part, byKey.get(l.key)!] as const] : [])));
}
