/** The bar on top: what is scheduled and selected, undo and redo, measure, check, and the ways to everything else. */
import { COMMANDS, isFull } from "../commands";
import { useDesk, useView } from "../hooks";
import { digits, shownTime } from "../units";
import type { Checked, Measured } from "../states";

export function Toolbar() {
  const desk = useDesk();
  const program = useView("program");
  const journal = useView("journal");
  const { stage, loop } = desk.selected.value;
  const known = program.value;
  const loops = known?.stages.find((s) => s.name === stage)?.loops ?? [];
  return (
    <div class="tw-toolbar" role="toolbar" aria-label="Workbench">
      <select aria-label="Stage" title={`the chosen stage: ${stage}`} value={stage} onChange={(e) => desk.select(e.currentTarget.value)}>
        {known?.stages.map((s) => (
          <option value={s.name} title={s.name}>
            {s.short}
          </option>
        ))}
      </select>
      <select aria-label="Loop" title={`the chosen loop${loop && `: ${loop}`}`} value={loop} onChange={(e) => desk.select(stage, e.currentTarget.value)} disabled={!loops.length}>
        <option value="">the stage</option>
        {loops.map((name) => (
          <option value={name}>{name}</option>
        ))}
      </select>
      <span class="tw-gap" />
      <Press command="Undo" sign="↶" off={!journal.value?.can_undo} />
      <Press command="Redo" sign="↷" off={!journal.value?.can_redo} />
      <span class="tw-gap" />
      <MeasureButton />
      <Press command="Pin this schedule" sign="Pin" />
      <Badge />
      <span class="tw-stretch" />
      <Press command="All steps and commands" sign="Steps …" />
      <Press command="Show the keys" sign="?" />
      <button type="button" class="tw-button" aria-pressed={isFull.value} title="Full screen (Shift+F)" aria-label="Full screen" onClick={() => (isFull.value = !isFull.value)}>
        <svg width="11" height="11" viewBox="0 0 11 11" aria-hidden="true">
          <path d="M1 4V1h3M7 1h3v3M10 7v3H7M4 10H1V7" fill="none" stroke="currentColor" stroke-width="1.5" />
        </svg>
      </button>
    </div>
  );
}

function Press({ command, sign, off }: { command: string; sign: string; off?: boolean }) {
  const desk = useDesk();
  const known = COMMANDS.find((c) => c.name === command)!;
  const keys = known.keys[0]?.replace("Mod", "Ctrl").toUpperCase();
  return (
    // Not `disabled`: the button that was just pressed would take the keys with it when there is nothing more to undo.
    <button type="button" class="tw-button" aria-label={command} title={keys ? `${command} (${keys})` : command} aria-disabled={off ?? false} onClick={() => off || known.run(desk)}>
      {sign}
    </button>
  );
}

/** Measure, with its result beside it; while it runs, how far it is, and Stop. */
function MeasureButton() {
  const desk = useDesk();
  const measured = useView("measured");
  const busy = desk.busy.value;
  if (busy) {
    return (
      <>
        <button key="stop" type="button" class="tw-button" title={`stop: ${busy.what} (Escape)`} onClick={() => void desk.ask("stop")}>
          Stop
        </button>
        <progress max={1} value={busy.done} aria-label={busy.what} />
        <span class="tw-dim tw-note-text">{busy.note}</span>
      </>
    );
  }
  return (
    <>
      <button key="measure" type="button" class="tw-button tw-primary" title="check the result and time the kernel (M)" onClick={() => void desk.ask("measure")}>
        Measure
      </button>
      {measured.value && <Result measured={measured.value} />}
    </>
  );
}

function Result({ measured }: { measured: Measured }) {
  const [kernel, reference] = measured.contestants;
  if (!kernel) return null;
  if (!kernel.ok || kernel.median === null) return <b class="tw-bad">✗ {kernel.check}</b>;
  return (
    <span class={measured.stale ? "tw-result tw-stale" : "tw-result"} title={measured.text}>
      {measured.stale || <span class="tw-good">✓ </span>}
      <b>{shownTime(kernel.median)}</b>
      {measured.ratio !== null && (
        <span class="tw-dim">
          {" "}
          {measured.doubtful && "≈ "}
          {digits(measured.ratio)} × {(reference?.name ?? "numpy").split(",")[0]}
          {measured.sizes && `, ${measured.sizes}`}
        </span>
      )}
      {measured.stale && <span> after step {measured.steps}</span>}
    </span>
  );
}

/** What is known of the results: proved by the steps, and tested on small sizes. */
function Badge() {
  const checked = useView("checked");
  const known: Checked | undefined = checked.value;
  const desk = useDesk();
  if (!known) return null;
  const proved = known.proved ? (known.rounds ? "proved ≈" : "proved") : "";
  const tested = { running: "testing …", same: "tested", different: "✗ different", unknown: proved ? "" : "unknown" }[known.test];
  const kind = known.test === "different" ? "tw-bad" : proved || known.test === "same" ? "tw-good" : "tw-dim";
  return (
    <button
      type="button"
      class={`tw-badge ${kind}`}
      title={`${known.proof}\n${known.found}\nPress to test on small sizes (C)`}
      onClick={() => void desk.ask("verify")}
    >
      {[proved, tested].filter(Boolean).join(" · ")}
    </button>
  );
}
