/** The workbench: toolbar, loops and actions on the left, code and drawings on the right. It fits the window; where that is
 * narrow, the code stands over the others. */
import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { commandOf, isFull } from "./commands";
import { useDesk } from "./hooks";
import { PANES } from "./panes";
import { CommandPalette } from "./parts/command_palette";
import { Help } from "./parts/help";
import { keepFocus } from "./parts/keep_focus";
import { drag, Splitter } from "./parts/splitter";
import { Status } from "./parts/status";
import { Tabs } from "./parts/tabs";
import { Toolbar } from "./parts/toolbar";
import { remembered } from "./remembered";

const LEFT_TABS = ["actions", "journal", "advice", "why"];
const RIGHT_TABS = ["graph", "memory", "data", "times", "tune", "speed", "threads", "llvm", "schedule"];
const STACKED = 700; // pixels; where it is narrower, all but the code stands behind tabs under it

export function Workbench() {
  const desk = useDesk();
  const root = useRef<HTMLDivElement>(null);
  const columns = remembered("columns", 0.42);
  const leftRows = remembered("left-rows", 0.5);
  const rightRows = remembered("right-rows", 0.62);
  const stackedRows = remembered("stacked-rows", 0.5);
  const narrow = useSignal(false);
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

  useEffect(() => {
    const el = root.current!; // the ref is empty where the workbench goes away before the last call
    const seen = new ResizeObserver(() => (narrow.value = el.clientWidth < STACKED));
    seen.observe(el);
    return () => seen.disconnect();
  }, []);

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
      {narrow.value ? (
        <div class="tw-columns">
          <Column first="code" rows={stackedRows} tabs={["loops", ...LEFT_TABS, ...RIGHT_TABS]} open={leftTab} label="All panes" />
        </div>
      ) : (
        <div class="tw-columns" style={{ "--columns": `${columns.value * 100}%` }}>
          <Column first="loops" rows={leftRows} tabs={LEFT_TABS} open={leftTab} label="About the selection" />
          <Splitter share={columns} direction="row" label="Width of the loops" />
          <Column first="code" rows={rightRows} tabs={RIGHT_TABS} open={rightTab} label="About the program" />
        </div>
      )}
      <HeightHandle height={height} />
      <CommandPalette />
      <Help />
    </div>
  );
}

interface ColumnProps {
  first: string;
  rows: Signal<number>;
  tabs: readonly string[];
  open: Signal<string>;
  label: string;
}

/** A pane that is always in view, and others behind tabs under it. */
function Column({ first, rows, tabs, open, label }: ColumnProps) {
  const First = PANES[first]!;
  return (
    <div class="tw-column" style={{ "--rows": `${rows.value * 100}%` }}>
      <div class="tw-first">
        <First />
      </div>
      <Splitter share={rows} direction="column" label={`Height of the ${first}`} />
      <Tabs tabs={tabs} open={open} label={label} />
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
