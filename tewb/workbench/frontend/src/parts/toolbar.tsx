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
      <select aria-label="Stage" value={stage} onChange={(e) => desk.select(e.currentTarget.value)}>
        {known?.stages.map((s) => (
          <option value={s.name}>{s.name}</option>
        ))}
      </select>
      <select aria-label="Loop" value={loop} onChange={(e) => desk.select(stage, e.currentTarget.value)} disabled={!loops.length}>
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
      <Press command="All steps and commands" sign="All steps …" />
      <Press command="Show the keys" sign="?" />
      <button type="button" class="tw-button" aria-pressed={isFull.value} title="Full screen (Shift+F)" aria-label="Full screen" onClick={() => (isFull.value = !isFull.value)}>
        <svg width="12" height="12" viewBox="0 0 12 12" fill="none" stroke="currentColor" aria-hidden="true">
          <path d="M1 4V1h3M8 1h3v3M11 8v3H8M4 11H1V8" />
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
    <button type="button" class="tw-button" aria-label={command} title={keys ? `${command} (${keys})` : command} disabled={off ?? false} onClick={() => known.run(desk)}>
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
        <button type="button" class="tw-button" onClick={() => void desk.ask("stop")}>
          Stop
        </button>
        <progress max={1} value={busy.done} aria-label={busy.what} />
        <span class="tw-dim tw-note-text">{busy.note}</span>
      </>
    );
  }
  return (
    <>
      <button type="button" class="tw-button tw-primary" title="check the result and time the kernel (M)" onClick={() => void desk.ask("measure")}>
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
    <span class="tw-result" title={measured.text}>
      <span class="tw-good">✓</span> <b>{shownTime(kernel.median)}</b>
      {measured.ratio !== null && (
        <span class="tw-dim">
          {" "}
          {digits(measured.ratio)} × {reference?.name ?? "numpy"}
        </span>
      )}
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
