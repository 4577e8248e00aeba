/** Taking the schedule elsewhere: as code in a cell below, or as one line in the clipboard. */
import type { Desk } from "./desk";
import { toCell } from "./to_cell";

/** Write code (by default the schedule) into a cell below the workbench that has the focus, or the first. */
export async function writeCell(desk: Desk, code?: string): Promise<void> {
  const source = code ?? String((await desk.inquire("export", { what: "cell" })).found ?? "");
  const at = document.activeElement?.closest<HTMLElement>(".tewb") ?? document.querySelector<HTMLElement>(".tewb");
  if (at && toCell(desk.notebook, at, source)) desk.done("it stands in the cell below");
  else await copy(desk, source, "no cell can be written here: the code is in the clipboard");
}

/** Copy the journal as one line. */
export async function share(desk: Desk): Promise<void> {
  const line = String((await desk.inquire("export", { what: "share" })).found ?? "");
  await copy(desk, line, "the journal is in the clipboard as one line: paste it into Schedule, here or elsewhere");
}

async function copy(desk: Desk, text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    desk.done(said);
  } catch {
    desk.say({ text, kind: "done", refused: null }); // no clipboard: it can be taken from here
  }
}
