/** Numbers as people read them. */

/** Seconds with three digits and a unit: "4.60 µs". */
export function shownTime(seconds: number): string {
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]] as const) {
    if (seconds >= size) return `${digits(seconds / size)} ${unit}`;
  }
  return `${digits(seconds / 1e-9)} ns`;
}

/** Three digits, whatever the size: "0.00460", "12.3", "1,230". */
export function digits(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  if (Math.abs(x) >= 100) return Math.round(x).toLocaleString("en");
  return x.toPrecision(3);
}

/** Bytes in a readable unit: "272 KiB". */
export function shownBytes(n: number): string {
  for (const [unit, size] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]] as const) {
    if (n >= size) return `${Number((n / size).toPrecision(4))} ${unit}`;
  }
  return `${n} B`;
}
