/** What the page remembers for a person on this machine: sizes of panes, which tab was open. Nothing of the program. */
import { effect, signal, type Signal } from "@preact/signals";

const known = new Map<string, Signal<unknown>>();

/** A signal that has the value it had when the page was left. */
export function remembered<T>(name: string, start: T): Signal<T> {
  const old = known.get(name);
  if (old) return old as Signal<T>;
  const made = signal<T>(read(name, start));
  known.set(name, made as Signal<unknown>);
  effect(() => write(name, made.value));
  return made;
}

function read<T>(name: string, start: T): T {
  try {
    const text = localStorage.getItem(`tewb:${name}`);
    return text === null ? start : (JSON.parse(text) as T);
  } catch {
    return start; // storage that is forbidden, or text that is none of ours
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(`tewb:${name}`, JSON.stringify(value));
  } catch {
    // then it is not remembered
  }
}
