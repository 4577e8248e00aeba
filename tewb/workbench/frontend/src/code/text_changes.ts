/** What is different between two texts, line by line: what is the same stays, with its place on the screen, folds and selection. */

export interface Change {
  from: number;
  to: number;
  insert: string;
}

const MOST = 200; // changes; where there are more, all between the first and the last is one

/** The smallest change that makes `old` into `text`. */
export function change(old: string, text: string): Change | null {
  if (old === text) return null;
  const most = Math.min(old.length, text.length);
  let start = 0;
  while (start < most && old.charCodeAt(start) === text.charCodeAt(start)) start++;
  let end = 0;
  while (end < most - start && old.charCodeAt(old.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end++;
  return { from: start, to: old.length - end, insert: text.slice(start, text.length - end) };
}

/** Changes that make `old` into `text`, and leave alone the lines that both have once, in the same order. */
export function changes(old: string, text: string): Change[] {
  const whole = change(old, text);
  if (!whole) return [];
  const from = old.lastIndexOf("\n", whole.from - 1) + 1; // whole lines
  const [before, after] = [lines(old, from, whole.to), lines(text, from, whole.from + whole.insert.length)];
  const found: Change[] = [];
  let [i, j] = [0, 0];
  for (const [a, b] of [...inOrder(before, after), [before.length, after.length] as const]) {
    if (a > i || b > j) {
      const [start, end] = [before[i]?.at ?? whole.to, before[a]?.at ?? whole.to];
      const [first, last] = [after[j]?.at ?? whole.from + whole.insert.length, after[b]?.at ?? whole.from + whole.insert.length];
      const part = change(old.slice(start, end), text.slice(first, last));
      if (part) found.push({ ...part, from: start + part.from, to: start + part.to });
    }
    [i, j] = [a + 1, b + 1];
  }
  return found.length > MOST ? [whole] : found;
}

/** Whether what stands from one place to another in the old text is left alone. */
export function isLeft(made: readonly Change[], from: number, to: number): boolean {
  return made.every((c) => c.to <= from || c.from >= to);
}

interface Line {
  at: number;
  text: string;
}

/** The lines that begin from `start` up to before `end`, each with its line break. */
function lines(text: string, start: number, end: number): Line[] {
  const found: Line[] = [];
  for (let at = start; at < end; ) {
    const stop = text.indexOf("\n", at) + 1 || text.length;
    found.push({ at, text: text.slice(at, Math.min(stop, end)) });
    at = stop;
  }
  return found;
}

/** Pairs of places of equal lines, rising in both: of those that occur once, the longest such row. */
function inOrder(a: readonly Line[], b: readonly Line[]): (readonly [number, number])[] {
  const places = once(b);
  const rows: { pair: readonly [number, number]; before: number }[] = [];
  const ends: number[] = []; // the row that ends lowest, of each length
  for (const [text, i] of once(a)) {
    const j = places.get(text);
    if (i === undefined || j === undefined) continue;
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[ends[middle]!]!.pair[1] < j) low = middle + 1;
      else high = middle;
    }
    rows.push({ pair: [i, j], before: low ? ends[low - 1]! : -1 });
    ends[low] = rows.length - 1;
  }
  const found: (readonly [number, number])[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = rows[at]!.before) found.push(rows[at]!.pair);
  return found.reverse();
}

/** The place of each line that occurs once. */
function once(all: readonly Line[]): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  all.forEach(({ text }, i) => found.set(text, found.has(text) ? undefined : i));
  return found;
}
