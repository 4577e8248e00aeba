/** What is different between two states: a long text is not sent again for a few lines of it. */

export interface Patch {
  /** The revision of the state that it changes. */
  since: number;
  fields: Record<string, unknown>;
  /** Of each long text: the lines (from 0) from one up to before another, and what is there instead. */
  lines: Record<string, [start: number, end: number, instead: string[]][]>;
}

/** `now`, with all that is equal in `old` taken from there: what an edit left alone is the same object, and is not drawn again. */
export function kept<T>(old: unknown, now: T): T {
  if (Object.is(old, now) || !isCompound(old) || !isCompound(now) || Array.isArray(old) !== Array.isArray(now)) return now;
  const [was, is] = [old as Compound, now as Compound];
  const names = Array.isArray(now) ? now.keys() : Object.keys(is);
  let isSame = Array.isArray(now) ? now.length === was["length"] : (names as string[]).length === Object.keys(was).length;
  for (const name of names) {
    is[name] = kept(was[name], is[name]);
    isSame &&= Object.is(was[name], is[name]);
  }
  return isSame ? (old as T) : now;
}

type Compound = Record<string | number, unknown>;

function isCompound(x: unknown): boolean {
  return typeof x === "object" && x !== null;
}

/** The state that a patch leads to. The old one stays as it is. */
export function patched(old: object, patch: Patch): Record<string, unknown> {
  const state: Record<string, unknown> = { ...old, ...patch.fields };
  for (const [name, cuts] of Object.entries(patch.lines)) {
    const text = String(state[name]).split("\n");
    const parts: string[][] = [];
    let at = 0;
    for (const [start, end, instead] of cuts) {
      parts.push(text.slice(at, start), instead);
      at = end;
    }
    state[name] = [...parts, text.slice(at)].flat().join("\n");
  }
  return state;
}
