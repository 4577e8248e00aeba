/** Numbers as people read them. */

/** Seconds with three digits and a unit: "4.60 µs". */
export function shownTime(seconds: number): string {
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]] as const) {
    if (seconds >= size) return `${digits(seconds / size)} ${unit}`;
  }
  return `${digits(seconds / 1e-9)} ns`;
}

const GROUPS = new Intl.NumberFormat("en"); // made once: each is dear

/** A whole number with its thousands apart: "262,144". */
export function grouped(n: number): string {
  return GROUPS.format(n);
}

/** Three digits, whatever the size: "0.00460", "12.3", "1,230". */
export function digits(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  if (Math.abs(x) >= 100) return grouped(Math.round(x));
  return x.toPrecision(3);
}

/** What a step is predicted to bring. A small gain is within what a prediction can tell. */
export function shownGain(gain: number): string {
  return gain >= 1.05 ? `about ${digits(gain)} times as fast, as predicted` : "no gain is predicted; a trial tells";
}

/** Bytes in a readable unit: "272 KiB". */
export function shownBytes(n: number): string {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const) {
    if (n >= size) return `${Number((n / size).toPrecision(4))} ${unit}`;
  }
  return `${n} B`;
}

/** "1 task", "1,024 tasks". */
export function counted(n: number, what: string): string {
  return `${grouped(n)} ${what}${n === 1 ? "" : "s"}`;
}
