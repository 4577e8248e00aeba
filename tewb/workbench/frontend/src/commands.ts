/** Everything that can be done by key or by the command palette: one list for menus, help and keys. */
import type { Desk } from "./desk";
import { signal } from "@preact/signals";
import { measureLoops } from "./metric";
import { PANE_DOCS, wantedPane } from "./pane_docs";
import { share, writeCell } from "./sharing";

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
  { name: "Measure the loops", keys: ["Shift+m"], run: measureLoops },
  { name: "Measure the threads", keys: [], run: (d) => watch(d, "threads", "measure_threads") },
  { name: "Stop what is running", keys: ["Escape"], run: (d) => void (d.busy.value && d.ask("stop")) },
  { name: "Pin this schedule", keys: ["Shift+p"], run: (d) => void d.ask("pin") },
  { name: "Check the result on small sizes", keys: ["c"], run: (d) => void d.ask("verify") },
  { name: "Tune the knobs", keys: [], run: (d) => watch(d, "tune", "tune") },
  { name: "Autoschedule", keys: [], run: (d) => watch(d, "tune", "autoschedule") },
  { name: "Start over", keys: [], run: (d) => void d.ask("reset") },
  { name: "Full screen", keys: ["Shift+f"], run: () => (isFull.value = !isFull.value) },
  { name: "Forget the pinned schedule", keys: [], run: (d) => void d.ask("unpin") },
  { name: "Write the schedule into a cell below", keys: ["w"], run: (d) => void writeCell(d) },
  { name: "Copy the journal as one line", keys: ["Shift+s"], run: (d) => void share(d) },
  { name: "Minimise: fewer steps, smaller sizes", keys: [], run: (d) => void d.ask("minimise") },
  { name: "To the loops", keys: ["l"], run: () => focusOn("[role=tree] [tabindex='0']") || (wantedPane.value = "loops") },
  { name: "To the code", keys: ["e"], run: () => focusOn(".cm-content") },
  ...Object.entries(PANE_DOCS).map(([pane, [label]], i) => ({ name: `Show ${label}`, keys: i < 9 ? [String(i + 1)] : [], run: () => void (wantedPane.value = pane) })),
  { name: "Show the keys", keys: ["?"], run: () => (isHelpOpen.value = !isHelpOpen.value) },
];

/** Begin something, and show the pane that says what comes of it. */
function watch(desk: Desk, pane: string, request: string): void {
  wantedPane.value = pane;
  void desk.ask(request);
}

/** Whether there is such a thing to have the focus. */
function focusOn(what: string): boolean {
  const bench = document.activeElement?.closest(".tewb") ?? document.querySelector(".tewb");
  const found = bench?.querySelector<HTMLElement>(what);
  found?.focus();
  return !!found;
}

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
  ["Home End", "the first, the last row"],
  ["drag", "a loop onto a loop reorders; a stage onto a loop computes it there"],
  ["Shift+↑ Shift+↓", "in the journal: select steps, to make a recipe of them"],
  ["click a value", "in the journal, where it is underlined: a knob, for which Tune tries other values"],
];

/** Keys of the code, for the help. */
export const CODE_KEYS: readonly [string, string][] = [
  ["Ctrl+f", "search"],
  ["Ctrl+g", "go to a line"],
  ["Ctrl+Shift+[ Ctrl+Shift+]", "fold, unfold"],
  ["Ctrl+a Ctrl+c", "copy all of it"],
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
