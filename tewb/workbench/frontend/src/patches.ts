/** What is different between two states: a long text is not sent again for a few lines of it. */

export interface Patch {
  /** The revision of the state that it changes. */
  since: number;
  fields: Record<string, unknown>;
  /** Of each long text: the lines (from 0) from one up to before another, and what is there instead. */
  lines: Record<string, [start: number, end: number, instead: string[]][]>;
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
