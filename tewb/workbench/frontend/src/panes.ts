/** The panes by name: each is a widget by itself, `session.view("loops")`, and a part of the workbench. */
import type { ComponentType } from "preact";
import { ActionsPane } from "./panes/actions";
import { AdvicePane } from "./panes/advice";
import { CodePane } from "./panes/code";
import { DataPane } from "./panes/data";
import { GraphPane } from "./panes/graph";
import { JournalPane } from "./panes/journal";
import { LLVMPane } from "./panes/llvm";
import { LoopsPane } from "./panes/loops";
import { MemoryPane } from "./panes/memory";
import { SchedulePane } from "./panes/schedule";
import { SpeedPane } from "./panes/speed";
import { ThreadsPane } from "./panes/threads";
import { TimesPane } from "./panes/times";
import { TunePane } from "./panes/tune";
import { WhyPane } from "./panes/why";

export const PANES: Record<string, ComponentType> = {
  loops: LoopsPane,
  code: CodePane,
  actions: ActionsPane,
  journal: JournalPane,
  memory: MemoryPane,
  data: DataPane,
  graph: GraphPane,
  times: TimesPane,
  tune: TunePane,
  threads: ThreadsPane,
  advice: AdvicePane,
  why: WhyPane,
  llvm: LLVMPane,
  speed: SpeedPane,
  schedule: SchedulePane,
};

export function paneNamed(name: string): ComponentType {
  const pane = PANES[name];
  if (!pane) throw new Error(`there is no pane ${name}; there are ${Object.keys(PANES).join(", ")}`);
  return pane;
}
