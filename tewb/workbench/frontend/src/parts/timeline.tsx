/** What each thread did in one call: a lane for each, a bar for each task. The arrow keys go from bar to bar. */
import { useSignal } from "@preact/signals";
import { useDesk } from "../hooks";
import type { ThreadTimeline } from "../states";
import { barText, nextBar, serialParts } from "../timeline";
import { shownTime } from "../units";

export const swatch = (loop: number | null) => `tw-loop-${loop === null ? 3 : loop % 4}`;

export function Timeline({ t }: { t: ThreadTimeline }) {
  const desk = useDesk();
  const chosen = useSignal(-1);
  const share = (seconds: number) => `${(100 * seconds) / (t.seconds || 1)}%`;
  const place = (begin: number, end: number) => ({ left: share(begin), width: share(end - begin) });
  const choose = (i: number) => {
    chosen.value = i;
    const part = t.loops[t.bars[i]?.loop ?? -1]?.part ?? null;
    if (t.is_current && part !== null) desk.light([part]);
  };
  const open = (i: number) => {
    const loop = t.loops[t.bars[i]?.loop ?? -1];
    if (loop?.stage && t.is_current) desk.select(loop.stage, loop.loop ?? "");
  };
  const onKey = (event: KeyboardEvent) => {
    if (/^(Arrow|Home|End)/.test(event.key)) choose(nextBar(t.bars, chosen.value, event.key));
    else if (event.key === "Enter") open(chosen.value);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const bar = t.bars[chosen.value];
  return (
    <>
      <div class="tw-timeline">
        <div>
          {t.rows.map((r) => (
            <div title={`busy ${shownTime(r.busy)}, idle ${shownTime(r.idle)}`}>
              {r.number ? `thread ${r.number}` : "thread 0 (calls)"} {Math.round((100 * r.busy) / (t.seconds || 1))} %
            </div>
          ))}
        </div>
        <div class="tw-lanes" onMouseLeave={() => desk.dim()}>
          <div aria-hidden="true">
            {t.spans.map((s) => (
              <i style={place(s.begin, s.end)} />
            ))}
          </div>
          <div
            {...(t.bars.length && { role: "listbox", tabIndex: 0, "aria-label": "Tasks of each thread" })}
            {...(bar && { "aria-activedescendant": `tw-task-${chosen.value}` })}
            onKeyDown={onKey}
            onFocus={() => chosen.value < 0 && choose(0)}
          >
            {t.rows.map((r) => (
              <div class="tw-lane" {...(t.bars.some((b) => b.thread === r.number) && { role: "group", "aria-label": `thread ${r.number}` })}>
                {r.number === 0 && serialParts(t).map(([a, b]) => <i style={place(a, b)} title={`${shownTime(b - a)} outside of parallel loops`} />)}
                {t.bars.map(
                  (b, i) =>
                    b.thread === r.number && (
                      <div
                        key={i}
                        id={`tw-task-${i}`}
                        role="option"
                        aria-selected={i === chosen.value}
                        title={barText(b, t.loops)}
                        class={`tw-task ${swatch(b.loop)} ${b.depth ? "tw-deep" : ""}`}
                        style={place(b.begin, b.end)}
                        onMouseEnter={() => choose(i)}
                        onClick={() => open(i)}
                      />
                    ),
                )}
              </div>
            ))}
          </div>
          <div class="tw-number tw-dim">{shownTime(t.seconds)}</div>
        </div>
      </div>
      <p class="tw-dim" aria-live="polite">
        {bar ? barText(bar, t.loops) : "Each bar is a task: hover over it, or go with the arrow keys."}
      </p>
    </>
  );
}
