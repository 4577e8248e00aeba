/** Everything that can be done by key or by the command palette: one list for menus, help and keys. */
import type { Desk } from "./desk";
import { signal } from "@preact/signals";

export interface Command {
  name: string;
  /** Keys as `keyOf` writes them: "Mod+z" is Ctrl+Z, and Cmd+Z on a Mac. */
  keys: readonly string[];
  run(desk: Desk): void;
}

export const isPaletteOpen = signal(false);
export const isHelpOpen = signal(false);
export const isFull = signal(false);

export const COMMANDS: readonly Command[] = [
  { name: "Undo", keys: ["Mod+z"], run: (d) => void d.ask("undo") },
  { name: "Redo", keys: ["Mod+Shift+z", "Mod+y"], run: (d) => void d.ask("redo") },
  { name: "All steps and commands", keys: ["Mod+k"], run: () => (isPaletteOpen.value = true) },
  { name: "Measure", keys: ["m"], run: (d) => void d.ask("measure") },
  { name: "Stop what is running", keys: ["Escape"], run: (d) => void (d.busy.value && d.ask("stop")) },
  { name: "Pin this schedule", keys: ["Shift+p"], run: (d) => void d.ask("pin") },
  { name: "Check the result on small sizes", keys: ["c"], run: (d) => void d.ask("verify") },
  { name: "Start over", keys: [], run: (d) => void d.ask("reset") },
  { name: "Full screen", keys: ["Shift+f"], run: () => (isFull.value = !isFull.value) },
  { name: "Show the keys", keys: ["?"], run: () => (isHelpOpen.value = !isHelpOpen.value) },
];

/** Keys that the loop tree takes, for the help. */
export const TREE_KEYS: readonly [string, string][] = [
  ["↑ ↓", "choose a loop"],
  ["← →", "fold, unfold"],
  ["Alt+↑ Alt+↓", "move the loop"],
  ["s", "split by a factor"],
  ["v", "vectorize, or not any more"],
  ["p", "parallel, or not any more"],
  ["u", "unroll, or not any more"],
  ["f", "fuse with the loop inside"],
  ["t", "transpose with the loop inside, as a tile of registers"],
  ["drag", "a loop onto a loop reorders; a stage onto a loop computes it there"],
];

/** A key press as commands name it. */
export function keyOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isLetter = /^[a-z]$/.test(key);
  return [(event.ctrlKey || event.metaKey) && "Mod", event.altKey && "Alt", event.shiftKey && (isLetter || key.length > 1) && "Shift", key]
    .filter(Boolean)
    .join("+");
}

/** The command of a key press; none while somebody types. */
export function commandOf(event: KeyboardEvent): Command | undefined {
  const key = keyOf(event);
  const command = COMMANDS.find((c) => c.keys.includes(key));
  if (!command || !isTyping(event.target)) return command;
  return command.keys.includes("Mod+k") && key === "Mod+k" ? command : undefined;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable && target.ariaReadOnly !== "true" || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
