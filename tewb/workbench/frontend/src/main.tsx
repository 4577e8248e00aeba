/** The page: draws the pane that a widget asks for, and keeps it in step with its desk. */
import { render as draw } from "preact";
import { deskOf } from "./desk";
import { DeskProvider } from "./hooks";
import { keep } from "./keeping";
import type { Model } from "./messages";
import { paneNamed } from "./panes";
import { Saved } from "./saved";
import { addStyle } from "./style";
import { Workbench } from "./workbench";

export function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  addStyle(el);
  const desk = deskOf(String(model.get("desk")));
  const leave = desk.join(model);
  const stopKeeping = keep(model);
  const pane = String(model.get("pane"));
  const Shown = pane === "workbench" ? Workbench : pane === "saved" ? Saved : paneNamed(pane);
  el.classList.add("tewb", `tewb-${pane}`);
  // JupyterLab asks the focused element itself whether its keys are shortcuts of the notebook, and takes the focus at keys.
  el.addEventListener("keydown", (e) => e.stopPropagation());
  el.addEventListener("focusin", (e) => (e.target as Element).setAttribute("data-lm-suppress-shortcuts", "true"));
  window.setTimeout(() => hideLook(el), 0);
  draw(
    <DeskProvider value={desk}>
      <Shown />
    </DeskProvider>,
    el,
  );
  return () => {
    draw(null, el);
    stopKeeping();
    leave();
  };
}

/** The saved look of the workbench stands beside it for pages without a kernel: here it is not needed. */
function hideLook(el: HTMLElement): void {
  const cell = el.closest(".jp-OutputArea, .cell_container") ?? el.closest(".output_area, .output"); // of JupyterLab, VS Code; others
  const looks = cell?.querySelectorAll<HTMLElement>(".tw-look") ?? [];
  for (const look of looks) (look.closest<HTMLElement>(".jp-OutputArea-child") ?? look).style.display = "none";
}
