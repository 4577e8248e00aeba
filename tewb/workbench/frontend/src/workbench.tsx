/** The workbench: toolbar, loops and actions on the left, code and drawings on the right. It fits the window. */
import { useEffect, useRef } from "preact/hooks";
import { commandOf, isFull } from "./commands";
import { useDesk } from "./hooks";
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
import { WhyPane } from "./panes/why";
import { CommandPalette } from "./parts/command_palette";
import { Help } from "./parts/help";
import { keepFocus } from "./parts/keep_focus";
import { drag, Splitter } from "./parts/splitter";
import { Status } from "./parts/status";
import { Tabs } from "./parts/tabs";
import { Toolbar } from "./parts/toolbar";
import { remembered } from "./remembered";

const LEFT_TABS = [
  { name: "actions", label: "Do", pane: ActionsPane },
  { name: "journal", label: "Journal", pane: JournalPane },
  { name: "advice", label: "Advice", pane: AdvicePane },
  { name: "why", label: "Why", pane: WhyPane },
];
const RIGHT_TABS = [
  { name: "graph", label: "Graph", pane: GraphPane },
  { name: "memory", label: "Memory", pane: MemoryPane },
  { name: "data", label: "Data", pane: DataPane },
  { name: "times", label: "Times", pane: TimesPane },
  { name: "speed", label: "Speed", pane: SpeedPane },
  { name: "threads", label: "Threads", pane: ThreadsPane },
  { name: "llvm", label: "LLVM", pane: LLVMPane },
  { name: "schedule", label: "Schedule", pane: SchedulePane },
];

export function Workbench() {
  const desk = useDesk();
  const root = useRef<HTMLDivElement>(null);
  const columns = remembered("columns", 0.42);
  const leftRows = remembered("left-rows", 0.5);
  const rightRows = remembered("right-rows", 0.62);
  const height = remembered("height", 0); // of the view, in percent; 0: as much as fits
  const leftTab = remembered("left-tab", "actions");
  const rightTab = remembered("right-tab", "graph");

  // A notebook has keys of its own: those that the workbench takes do not reach it.
  const onKey = (event: KeyboardEvent) => {
    const isInDialog = event.target instanceof Element && event.target.closest("dialog") !== null; // it has its own keys
    const command = isInDialog ? undefined : commandOf(event);
    if (command) {
      command.run(desk);
      event.preventDefault();
    }
    event.stopPropagation();
  };

  useEffect(() => {
    const el = root.current!;
    if (isFull.value) void el.requestFullscreen?.().catch(() => (isFull.value = false));
    else if (document.fullscreenElement === el) void document.exitFullscreen();
  }, [isFull.value]);

  useEffect(() => {
    const left = () => {
      if (!document.fullscreenElement) isFull.value = false;
    };
    document.addEventListener("fullscreenchange", left);
    return () => document.removeEventListener("fullscreenchange", left);
  }, []);

  useEffect(() => keepFocus(root.current!), []);

  return (
    <div
      ref={root}
      class="tw-workbench"
      role="region"
      aria-label="tewb workbench"
      data-lm-suppress-shortcuts="true"
      style={height.value ? { height: `${height.value}vh` } : {}}
      onKeyDown={onKey}
    >
      <Toolbar />
      <Status />
      <div class="tw-columns" style={{ "--columns": `${columns.value * 100}%` }}>
        <div class="tw-column" style={{ "--rows": `${leftRows.value * 100}%` }}>
          <div class="tw-first">
            <LoopsPane />
          </div>
          <Splitter share={leftRows} direction="column" label="Height of the loops" />
          <Tabs tabs={LEFT_TABS} open={leftTab} label="About the selection" />
        </div>
        <Splitter share={columns} direction="row" label="Width of the loops" />
        <div class="tw-column" style={{ "--rows": `${rightRows.value * 100}%` }}>
          <div class="tw-first">
            <CodePane />
          </div>
          <Splitter share={rightRows} direction="column" label="Height of the code" />
          <Tabs tabs={RIGHT_TABS} open={rightTab} label="About the program" />
        </div>
      </div>
      <HeightHandle height={height} />
      <CommandPalette />
      <Help />
    </div>
  );
}

/** The lower edge: dragged, or moved by arrow keys, it changes the height of the workbench. */
function HeightHandle({ height }: { height: { value: number } }) {
  const put = (percent: number) => (height.value = Math.min(Math.max(percent, 30), 100));
  const onDown = (event: PointerEvent) => {
    const el = event.currentTarget as HTMLElement;
    const top = el.parentElement!.getBoundingClientRect().top;
    drag(event, el, (e) => put(((e.clientY - top) / window.innerHeight) * 100));
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowUp: -5, ArrowDown: 5 }[event.key];
    if (by) put((height.value || 80) + by);
    else if (event.key === "Enter") height.value = 0;
    else return;
    event.preventDefault();
  };
  return (
    <div
      class="tw-height"
      role="separator"
      aria-label="Height of the workbench"
      aria-orientation="horizontal"
      aria-valuenow={Math.round(height.value || 80)}
      aria-valuemin={30}
      aria-valuemax={100}
      tabIndex={0}
      title="height: drag, or arrow keys; double-click or Enter: as much as fits"
      onPointerDown={onDown}
      onKeyDown={onKey}
      onDblClick={() => (height.value = 0)}
    />
  );
}
