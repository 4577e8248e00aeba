/** Writing the schedule as code into a new cell below the workbench, where the notebook can be reached. */
import type { NotebookContext } from "./messages";

/** Insert a code cell below the cell that `el` is in. False where that cannot be done. */
export function toCell(context: NotebookContext | undefined, el: HTMLElement, source: string): boolean {
  const cell = el.closest<HTMLElement>(".jp-Cell");
  const shared = context?.model.sharedModel;
  if (!cell || !shared) return false;
  shared.insertCell(indexOf(cell) + 1, { cell_type: "code", source });
  return true;
}

/** The place of a cell in its notebook: only those in view are in the page, and each knows its number. */
function indexOf(cell: HTMLElement): number {
  const known = cell.dataset["windowedListIndex"];
  return known === undefined ? [...cell.parentElement!.children].indexOf(cell) : Number(known);
}
