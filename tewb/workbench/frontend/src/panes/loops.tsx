/** The loop tree: stages inside the loops where they run. Keys, clicks and drags on it are requests. */
import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Desk } from "../desk";
import { heatByKey, isTime, METRICS, type Heat, type Metric } from "../heat";
import { useCosts, useDesk, useShort, useView } from "../hooks";
import { measureLoops, metric } from "../metric";
import { flatten, isInside, loopsOf, moved, neighbour, type Row } from "../loop_rows";
import type { LoopNode } from "../states";
import { digits, grouped } from "../units";

const GIVEN = /input|state/; // stages without loops
const LOOP_KEYS = ["s", "v", "p", "u", "f", "t"];
const ONE_KEY: Record<string, string> = { v: "vectorize", p: "parallel", u: "unroll" };

export function LoopsPane() {
  const desk = useDesk();
  const tree = useView("loops");
  const folded = useSignal<ReadonlySet<string>>(new Set());
  const asking = useSignal<string | null>(null); // the key of the loop that asks for a factor
  const dragged = useSignal<LoopNode | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const costs = useCosts();
  const { times, speed } = costs;
  const heat = useMemo(() => heatByKey(costs, metric.value), [costs.costs, times, speed, metric.value]);
  const short = useShort();
  const rows = flatten(tree.value?.roots ?? [], folded.value);
  const { stage, loop } = desk.selected.value;
  const chosen = loop ? `${stage}/${loop}` : stage;
  const current = rows.find((r) => r.node.key === chosen) ?? rows[0];

  const choose = (row: Row | undefined, focus = true) => {
    if (!row) return;
    desk.select(row.node.stage, row.node.loop ?? "");
    if (focus) rowElement(list.current, row.node.key)?.focus();
  };

  // A step renames loops: the focus stays in the tree, on what is selected now. Focusing lays the page out: that waits until
  // the code has changed too.
  const hadFocus = useRef(false);
  const focused = useRef<string | undefined>(undefined); // the key that the row with the focus had when it came there
  useLayoutEffect(() => {
    const isElsewhere = () => {
      const active = document.activeElement as HTMLElement;
      const { key } = active.dataset;
      return active === document.body || (key !== undefined && key !== focused.current && list.current!.contains(active));
    };
    if (!hadFocus.current || !isElsewhere()) return;
    queueMicrotask(() => {
      if (!current || !isElsewhere()) return;
      focused.current = current.node.key;
      rowElement(list.current, current.node.key)?.focus({ preventScroll: true });
    });
  });

  // The pointer is where it was, and the loop under it another one: that is lit when the step is on the screen.
  useEffect(() => {
    const under = list.current?.querySelector<HTMLElement>(".tw-row:hover")?.dataset["key"];
    const node = rows.find((r) => r.node.key === under)?.node;
    if (node && !desk.lit.peek().parts.has(node.part)) lightRow(desk, node);
  }, [tree.value]);

  const toggle = (key: string, fold: boolean) => {
    const next = new Set(folded.value);
    if (fold) next.add(key);
    else next.delete(key);
    folded.value = next;
  };

  const onKey = (event: KeyboardEvent, row: Row) => {
    if (event.ctrlKey || event.metaKey || asking.value) return;
    const at = rows.indexOf(row);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const { node } = row;
    if (step && event.altKey && node.loop) void moveLoop(desk, rows, node, step);
    else if (step) choose(rows[at + step]);
    else if (event.key === "Home") choose(rows[0]);
    else if (event.key === "End") choose(rows.at(-1));
    else if (event.key === "ArrowLeft") row.isOpen ? toggle(node.key, true) : choose(rows.find((r) => r.node.key === row.parent));
    else if (event.key === "ArrowRight") row.isFolded ? toggle(node.key, false) : node.inside.length && choose(rows[at + 1]);
    else if (node.loop && ONE_KEY[event.key]) void toggleMark(desk, node, ONE_KEY[event.key]!);
    else if (node.loop && event.key === "s") asking.value = node.key;
    else if (node.loop && (event.key === "f" || event.key === "t")) void withNext(desk, rows, node, event.key);
    else if (!node.loop && LOOP_KEYS.includes(event.key)) desk.say({ text: "choose a loop first: that is done to loops", kind: "refused", refused: null });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const answer = (node: LoopNode, factor: number | null) => {
    // What is asked is on its way before the page is laid out for the focus.
    if (factor !== null) void desk.do({ primitive: "split", stage: node.stage, args: { axis: node.loop, factor } });
    asking.value = null;
    rowElement(list.current, node.key)?.focus();
  };

  const drop = (target: LoopNode) => {
    const from = dragged.value;
    dragged.value = null;
    if (!from || !canDrop(from, target)) return;
    if (!from.loop) {
      void desk.do({ primitive: "compute_at", stage: from.stage, args: { parent: target.stage, axis: target.loop } });
      return;
    }
    const axes = moved(loopsOf(rows, from.stage), from.loop, target.loop!);
    void desk.do({ primitive: "reorder", stage: from.stage, args: { axes } });
  };

  // A row whose properties are the same is not drawn again: it calls what holds now by one object for all times.
  const now = useRef<RowActs>(null!);
  now.current = {
    choose: (key) => choose(rows.find((r) => r.node.key === key)),
    toggle,
    onKey: (event, key) => onKey(event, rows.find((r) => r.node.key === key)!),
    onDrag: (node) => (dragged.value = node),
    onDrop: drop,
    answer,
  };
  const acts = useMemo<RowActs>(
    () => ({
      choose: (...a) => now.current.choose(...a),
      toggle: (...a) => now.current.toggle(...a),
      onKey: (...a) => now.current.onKey(...a),
      onDrag: (...a) => now.current.onDrag(...a),
      onDrop: (...a) => now.current.onDrop(...a),
      answer: (...a) => now.current.answer(...a),
    }),
    [],
  );

  return (
    <section class="tw-pane tw-pane-loops" aria-label="Loops">
      <MetricChooser />
      <div
        class={`tw-tree${isTime(metric.value) && times?.stale ? " tw-stale" : ""}`}
        role="tree"
        aria-label="Loops of all stages"
        ref={list}
        onFocusIn={(e) => {
          hadFocus.current = true;
          focused.current = (e.target as HTMLElement).dataset["key"];
        }}
        onFocusOut={(e) => (hadFocus.current = e.relatedTarget === null)}
        onMouseLeave={() => desk.dim()}
      >
        {rows.map((row) => (
          <TreeRow
            key={row.slot}
            node={row.node}
            depth={row.depth}
            isFolded={row.isFolded}
            short={short}
            heat={heat.get(row.node.key)}
            isChosen={row.node.key === chosen}
            isFirst={row === current}
            isTarget={dragged.value !== null && canDrop(dragged.value, row.node)}
            asksFactor={asking.value === row.node.key}
            acts={acts}
          />
        ))}
      </div>
      {isTime(metric.value) && times && <TimesNote said={times.said} />}
      {speed && metric.value === "predicted" && <TimesNote said={speed.problem ?? speed.verdict} />}
      {tree.value?.problem && <p class="tw-problem">{tree.value.problem}</p>}
    </section>
  );
}

/** What a row asks of the tree. */
interface RowActs {
  choose(key: string): void;
  toggle(key: string, fold: boolean): void;
  onKey(event: KeyboardEvent, key: string): void;
  onDrag(node: LoopNode | null): void;
  onDrop(target: LoopNode): void;
  answer(node: LoopNode, factor: number | null): void;
}

interface RowProps {
  node: LoopNode;
  depth: number;
  isFolded: boolean;
  short(text: string): string;
  heat: Heat | undefined;
  isChosen: boolean;
  isFirst: boolean;
  isTarget: boolean;
  asksFactor: boolean;
  acts: RowActs;
}

function TreeRow({ node, depth, isFolded, short, heat, isChosen, isFirst, isTarget, asksFactor, acts }: RowProps) {
  const desk = useDesk();
  const lit = desk.lit.value.parts.has(node.part) || (node.step !== null && desk.lit.value.steps.has(node.step));
  return (
    <div
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isChosen}
      {...(node.inside.length ? { "aria-expanded": !isFolded } : {})}
      tabIndex={isFirst ? 0 : -1}
      class={`tw-row tw-${node.kind}${lit ? " tw-lit" : ""}${isTarget ? " tw-target" : ""}${heat ? " tw-costed" : ""}`}
      style={{ paddingLeft: `${depth * 0.9 + 0.2}em` }}
      data-key={node.key}
      draggable={!GIVEN.test(node.kind) && !asksFactor}
      onClick={() => acts.choose(node.key)}
      onKeyDown={(e) => acts.onKey(e, node.key)}
      onMouseEnter={() => lightRow(desk, node)}
      onDragStart={(e) => {
        e.dataTransfer?.setData("text/plain", node.key);
        acts.onDrag(node);
      }}
      onDragOver={(e) => isTarget && e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        acts.onDrop(node);
      }}
      onDragEnd={() => acts.onDrag(null)}
    >
      <span
        class="tw-fold"
        aria-hidden="true"
        onClick={(e) => {
          e.stopPropagation();
          acts.toggle(node.key, !isFolded);
        }}
      >
        {node.inside.length ? (isFolded ? "▸" : "▾") : ""}
      </span>
      <RowText node={node} short={short} />
      <ValueNow row={node.key} />
      {heat && (
        <span class="tw-heat" style={{ "--heat": heat.share }} title={heat.title}>
          {heat.text}
        </span>
      )}
      {asksFactor && <FactorField loop={node.loop ?? ""} answer={(factor) => acts.answer(node, factor)} />}
    </div>
  );
}

/** The value of a loop while accesses are played. */
function ValueNow({ row }: { row: string }) {
  const value = useDesk().now.value?.values.get(row);
  return value === undefined ? null : <span class="tw-mark tw-now"> = {value}</span>;
}

/** Which cost is shown beside the tree and the code, and the way to times that are measured. */
function MetricChooser() {
  const desk = useDesk();
  return (
    <div class="tw-bar tw-metric">
      <select aria-label="Cost that is shown" title="the cost that is shown beside the tree and the code" value={metric.value} onChange={(e) => (metric.value = e.currentTarget.value as Metric)}>
        {Object.entries(METRICS).map(([name, text]) => (
          <option value={name}>{text}</option>
        ))}
      </select>
      <button
        type="button"
        class="tw-button"
        aria-label="Measure the loops"
        title="Measure the loops: time each of them by timers in the kernel (Shift+M)"
        disabled={desk.busy.value !== null}
        onClick={() => measureLoops(desk)}
      >
        Time
      </button>
    </div>
  );
}

/** Of which step the times are and how much the timers slowed the kernel down, or what bounds it as predicted. */
function TimesNote({ said }: { said: string }) {
  return <p class="tw-times-note tw-dim">{said}</p>;
}

function RowText({ node, short }: { node: LoopNode; short(text: string): string }) {
  if (node.kind === "loop") {
    const trips = node.trips === null ? "" : `; its body runs ${grouped(node.trips)} times in one call`;
    return (
      <span class="tw-words" title={`${node.loop} of ${node.stage}: ${node.extent} iterations${trips}`}>
        {node.loop} <span class="tw-dim">in</span> {node.extent}
        {node.axis === "reduce" && <span class="tw-dim"> reduce</span>}
        {node.marks.map((m) => (
          <span class="tw-mark">{m}</span>
        ))}
      </span>
    );
  }
  const again = node.computed !== null && node.computed > 1.005 ? `each element ${digits(node.computed)} times` : "";
  const place = node.place === "root" ? "" : node.place;
  const notes = [GIVEN.test(node.kind) && node.kind, place, node.memory, again, ...node.marks].filter(Boolean);
  return (
    <span class="tw-words" title={[node.stage, ...notes].join(", ")}>
      <b>{short(node.stage)}</b> <span class="tw-dim">{short(notes.join(" · "))}</span>
    </span>
  );
}

function FactorField({ loop, answer }: { loop: string; answer(factor: number | null): void }) {
  const field = useRef<HTMLInputElement>(null);
  // Before the next key press, not after the next frame: what is typed quickly goes into the field.
  useLayoutEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const done = useRef(false);
  const finish = (factor: number | null) => {
    if (done.current) return;
    done.current = true;
    answer(factor);
  };
  return (
    <input
      ref={field}
      class="tw-factor"
      type="number"
      min="1"
      defaultValue="16"
      aria-label={`factor to split ${loop} by`}
      title="Enter splits, Escape leaves it"
      onClick={(e) => e.stopPropagation()}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") finish(null);
        if (e.key !== "Enter") return;
        const factor = Number(e.currentTarget.value);
        if (Number.isInteger(factor)) finish(factor);
      }}
      onBlur={() => finish(null)}
    />
  );
}

function lightRow(desk: Desk, node: LoopNode): void {
  desk.light([node.part], node.step === null ? [] : [node.step]);
}

function rowElement(list: HTMLElement | null, key: string): HTMLElement | null {
  return list?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
}

function canDrop(from: LoopNode, to: LoopNode): boolean {
  if (to.kind !== "loop") return false;
  return from.loop ? from.stage === to.stage && from.loop !== to.loop : from.stage !== to.stage && !isInside(from, to.key);
}

async function moveLoop(desk: Desk, rows: Row[], node: LoopNode, by: number): Promise<void> {
  const other = neighbour(loopsOf(rows, node.stage), node.loop!, by);
  if (!other) return;
  const axes = by < 0 ? [node.loop, other] : [other, node.loop];
  await desk.do({ primitive: "reorder", stage: node.stage, args: { axes } });
}

/** A mark that is there already goes again: the step that made it is deleted. */
async function toggleMark(desk: Desk, node: LoopNode, primitive: string): Promise<void> {
  const reply = await desk.inquire("unmark", { stage: node.stage, loop: node.loop, primitive });
  if (reply.ok && reply.found === true) desk.say({ text: `✓ ${reply.said}`, kind: "done", refused: null });
  else await desk.do({ primitive, stage: node.stage, args: { axis: node.loop } });
}

async function withNext(desk: Desk, rows: Row[], node: LoopNode, key: string): Promise<void> {
  const next = neighbour(loopsOf(rows, node.stage), node.loop!, 1);
  const step =
    key === "f"
      ? { primitive: "fuse", stage: node.stage, args: { axes: next ? [node.loop, next] : [node.loop] } }
      : { primitive: "transpose", stage: node.stage, args: { rows: node.loop, lanes: next ?? node.loop } };
  await desk.do(step);
}
