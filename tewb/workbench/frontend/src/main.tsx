/** The page: draws the pane that a widget asks for, and keeps it in step with its desk. */
import { render as draw } from "preact";
import { deskOf } from "./desk";
import { DeskProvider } from "./hooks";
import type { Model } from "./messages";
import { paneNamed } from "./panes";
import { addStyle } from "./style";
import { Workbench } from "./workbench";

export function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  addStyle(el);
  const desk = deskOf(String(model.get("desk")));
  const leave = desk.join(model);
  const pane = String(model.get("pane"));
  const Shown = pane === "workbench" ? Workbench : paneNamed(pane);
  el.classList.add("tewb", `tewb-${pane}`);
  draw(
    <DeskProvider value={desk}>
      <Shown />
    </DeskProvider>,
    el,
  );
  return () => {
    draw(null, el);
    leave();
  };
}
