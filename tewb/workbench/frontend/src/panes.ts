/** The panes by name: each is a widget by itself, `session.view("loops")`, and a part of the workbench. */
import type { ComponentType } from "preact";
import { ActionsPane } from "./panes/actions";
import { AdvicePane } from "./panes/advice";
import { CodePane } from "./panes/code";
import { GraphPane } from "./panes/graph";
import { JournalPane } from "./panes/journal";
import { LLVMPane } from "./panes/llvm";
import { LoopsPane } from "./panes/loops";
import { MemoryPane } from "./panes/memory";
import { SchedulePane } from "./panes/schedule";
import { TimesPane } from "./panes/times";
import { WhyPane } from "./panes/why";

export const PANES: Record<string, ComponentType> = {
  loops: LoopsPane,
  code: CodePane,
  actions: ActionsPane,
  journal: JournalPane,
  memory: MemoryPane,
  graph: GraphPane,
  times: TimesPane,
  advice: AdvicePane,
  why: WhyPane,
  llvm: LLVMPane,
  schedule: SchedulePane,
};

export function paneNamed(name: string): ComponentType {
  const pane = PANES[name];
  if (!pane) throw new Error(`there is no pane ${name}; there are ${Object.keys(PANES).join(", ")}`);
  return pane;
}
