/** The journal as rows: steps, and recipes that stand for the steps they made until they are opened. */
import type { KnobLine, RecipeLine, StepLine } from "./states";

export interface JournalRow {
  key: string;
  depth: number;
  /** The number of its first step, and how many it is. */
  first: number;
  count: number;
  step: StepLine | null;
  recipe: RecipeLine | null;
  isOpen: boolean;
  ahead: boolean;
  /** Where it would stand one row earlier or later, among those that the same recipe made. */
  up: number | null;
  down: number | null;
}

/** What a recipe is remembered by while the journal changes. */
export function keyOf(r: RecipeLine): string {
  return `${r.first}/${r.depth}/${r.name}`;
}

/** The rows that are seen. */
export function rowsOf(steps: readonly StepLine[], recipes: readonly RecipeLine[], opened: ReadonlySet<string>): JournalRow[] {
  const rows: JournalRow[] = [];
  const within = (first: number, end: number, depth: number): void => {
    const own: JournalRow[] = [];
    for (let at = first; at < end; ) {
      const recipe = recipes.find((r) => r.first === at && r.depth === depth) ?? null;
      const count = recipe?.count ?? 1;
      const key = recipe ? keyOf(recipe) : String(at);
      const isOpen = recipe !== null && opened.has(key);
      const row = { key, depth, first: at, count, step: recipe ? null : steps[at - 1]!, recipe, isOpen, ahead: steps[at - 1]!.ahead, up: null, down: null };
      own.push(row);
      rows.push(row);
      if (isOpen) within(at, at + count, depth + 1);
      at += count;
    }
    own.forEach((row, i) => {
      const [before, after] = [own[i - 1], own[i + 1]];
      if (before) row.up = before.first;
      if (after && !after.ahead) row.down = row.first + after.count;
    });
  };
  within(1, steps.length + 1, 0);
  return rows;
}

/** The steps from one row to another, both of them: the number of the first and how many. */
export function between(rows: readonly JournalRow[], a: string | null, b: string | null): [number, number] | null {
  const ends = [a, b].map((key) => rows.find((r) => r.key === key));
  if (!ends[0] || !ends[1] || ends[0].ahead || ends[1].ahead) return null;
  const first = Math.min(ends[0].first, ends[1].first);
  return [first, Math.max(ends[0].first + ends[0].count, ends[1].first + ends[1].count) - first];
}

/** A piece of a step's text: a value that can be a knob, as `factor=8`, or what stands between those. */
export interface Piece {
  text: string;
  knob: KnobLine | null;
}

/** The text of a step in pieces. A knob whose value is not in the text, as whether the step is done at all, is in none. */
export function piecesOf(text: string, knobs: readonly KnobLine[]): Piece[] {
  const places = knobs
    .map((knob) => ({ knob, at: text.search(new RegExp(`(?<=[(,] ?)${knob.param}=`)) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const pieces: Piece[] = [];
  let from = 0;
  for (const { knob, at } of places) {
    const end = endOfValue(text, at);
    pieces.push({ text: text.slice(from, at), knob: null }, { text: text.slice(at, end), knob });
    from = end;
  }
  return [...pieces, { text: text.slice(from), knob: null }];
}

/** Where an argument ends: at a comma, or a bracket that was not opened in it. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const c = text[at]!;
    if (depth === 0 && /[,)]/.test(c)) return at;
    depth += Number(/[([{]/.test(c)) - Number(/[)\]}]/.test(c));
  }
  return text.length;
}
