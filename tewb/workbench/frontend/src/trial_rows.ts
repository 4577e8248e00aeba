/** The order of the table of trials, and how their times fell. */
import type { Lead, TrialLine } from "./states";

/** What rows are sorted by: a field, or a column of values by its index. */
export interface Sort {
  by: "number" | "state" | "seconds" | number;
  down: boolean;
}

/** The sort after a press on a header: the other way round where it was sorted by that already. */
export function pressed(sort: Sort, by: Sort["by"]): Sort {
  return { by, down: sort.by === by && !sort.down };
}

/** The rows in their order: what is pinned first; what has no time, or no value, last. */
export function sorted(rows: readonly TrialLine[], { by, down }: Sort): TrialLine[] {
  const key = (r: TrialLine) => (typeof by === "number" ? r.values[by]! : by === "seconds" && !/ok|same/.test(r.state) ? "" : (r[by] ?? ""));
  const compare = (a: TrialLine, b: TrialLine) => {
    const [x, y] = [key(a), key(b)];
    if (x === "" || y === "") return Number(x === "") - Number(y === "");
    const order = Number(x) - Number(y) || String(x).localeCompare(String(y));
    return down ? -order : order;
  };
  return [...rows].sort((a, b) => Number(b.pinned) - Number(a.pinned) || compare(a, b) || a.number - b.number);
}

/** The best so far, as corners of a line with steps, up to the last trial. */
export function corners(leads: readonly Lead[], last: number): [number, number][] {
  return leads.flatMap((l, i): [number, number][] => [[l.number, l.seconds], [leads[i + 1]?.number ?? last, l.seconds]]);
}
