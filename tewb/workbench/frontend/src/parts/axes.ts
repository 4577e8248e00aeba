/** Logarithmic axes for plots. */

export type Scale = (value: number) => number;

/** Maps low..high to from..to, logarithmically. */
export function logScale(low: number, high: number, from: number, to: number): Scale {
  const [a, b] = [Math.log(low), Math.log(high)];
  return (v) => from + ((to - from) * (Math.log(v) - a)) / (b - a || 1);
}

/** Round values between low and high: 1, 2 and 5 times powers of ten, or of ten alone where those are too many. */
export function ticks(low: number, high: number, most = 6): number[] {
  for (const steps of [[1, 2, 5], [1]]) {
    const found: number[] = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
      for (const s of steps) {
        const v = Number((s * 10 ** power).toPrecision(3));
        if (v >= low && v <= high) found.push(v);
      }
    }
    if (found.length <= most || steps.length === 1) return found;
  }
  return [];
}
