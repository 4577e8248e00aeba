/** The journal: every step can be gone to, moved, noted and deleted where it stands; branches, the pin, and what to share. */
import { useSignal } from "@preact/signals";
import { useDesk, useView } from "../hooks";
import type { Journal, StepLine } from "../states";
import { toCell } from "../to_cell";
import { shownTime } from "../units";

export function JournalPane() {
  const desk = useDesk();
  const journal = useView("journal");
  const known = journal.value;
  if (!known) return null;
  return (
    <section class="tw-pane tw-pane-journal" aria-label="Journal">
      <ol class="tw-steps" onMouseLeave={() => desk.dim()}>
        {known.steps.map((step) => (
          <StepRow key={step.number} step={step} last={known.steps.length} isPinned={known.pinned_at === step.number} />
        ))}
      </ol>
      {!known.steps.length && <p class="tw-dim">No steps yet: choose a loop, then press a key (? shows them) or a button.</p>}
      <Foot journal={known} />
    </section>
  );
}

function StepRow({ step, last, isPinned }: { step: StepLine; last: number; isPinned: boolean }) {
  const desk = useDesk();
  const noting = useSignal(false);
  const at = step.number - 1;
  const lit = desk.lit.value.steps.has(at);
  return (
    <li
      class={`tw-step${step.ahead ? " tw-ahead" : ""}${lit ? " tw-lit" : ""}`}
      value={step.number}
      onMouseEnter={() => !step.ahead && desk.light([], [at])}
    >
      <button type="button" class="tw-link" title="go to the state after this step" onClick={() => void desk.ask("jump", { step: step.number })}>
        {step.text}
      </button>
      {step.name && <span class="tw-mark">{step.name}</span>}
      {isPinned && <span class="tw-mark">pinned</span>}
      {step.seconds !== null && <span class="tw-dim"> {shownTime(step.seconds)}</span>}
      <span class="tw-step-tools">
        <Tool label={`Move step ${step.number} earlier`} sign="↑" off={step.number === 1} act={() => desk.ask("move", { step: step.number, to: step.number - 1 })} />
        <Tool label={`Move step ${step.number} later`} sign="↓" off={step.number === last} act={() => desk.ask("move", { step: step.number, to: step.number + 1 })} />
        <Tool label={`Note step ${step.number}`} sign="✎" off={step.ahead} act={() => (noting.value = !noting.value)} />
        <Tool label={`Delete step ${step.number}`} sign="✕" off={step.ahead} act={() => desk.ask("delete", { step: step.number })} />
      </span>
      {step.note && !noting.value && <div class="tw-note">{step.note}</div>}
      {noting.value && (
        <input
          class="tw-note-field"
          ref={(el) => el?.focus()}
          defaultValue={step.note}
          aria-label={`Note for step ${step.number}`}
          onKeyDown={(e) => {
            e.stopPropagation();
            if (e.key === "Escape") noting.value = false;
            if (e.key !== "Enter") return;
            noting.value = false;
            void desk.ask("label", { step: step.number, note: e.currentTarget.value });
          }}
        />
      )}
    </li>
  );
}

function Tool({ label, sign, off, act }: { label: string; sign: string; off: boolean; act(): unknown }) {
  return (
    <button type="button" class="tw-tool" aria-label={label} title={label} disabled={off} onClick={() => act()}>
      {sign}
    </button>
  );
}

function Foot({ journal }: { journal: Journal }) {
  const desk = useDesk();
  const checked = useView("checked");
  const name = useSignal("");
  const copied = useSignal(false);
  const share = async () => {
    await navigator.clipboard.writeText(journal.share);
    copied.value = true;
    window.setTimeout(() => (copied.value = false), 1500);
  };
  return (
    <footer class="tw-bar">
      <button type="button" class="tw-button" onClick={() => void share()} disabled={!journal.steps.length} title="the journal as one line, to paste elsewhere">
        {copied.value ? "Copied" : "Share"}
      </button>
      {desk.notebook && (
        <button
          type="button"
          class="tw-button"
          disabled={!journal.steps.length}
          title="write the schedule as code into a cell below"
          onClick={(e) => toCell(desk.notebook, e.currentTarget, journal.code) && desk.say({ text: "✓ the schedule stands in the cell below", kind: "done", refused: null })}
        >
          To a cell
        </button>
      )}
      <button type="button" class="tw-button" onClick={() => void desk.ask("reset")} disabled={!journal.can_undo}>
        Start over
      </button>
      {checked.value?.test === "different" && (
        <button type="button" class="tw-button" title="leave out all steps that are not needed to make the result wrong" onClick={() => void desk.ask("minimise")}>
          Minimise
        </button>
      )}
      {journal.pinned_steps !== null && (
        <button type="button" class="tw-button" onClick={() => void desk.ask("unpin")}>
          Unpin
        </button>
      )}
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void desk.ask("branch", { name: name.value });
          name.value = "";
        }}
      >
        <input size={10} placeholder="new branch" aria-label="Name of a new branch" value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
      </form>
      {journal.branches.length > 1 && (
        <select
          aria-label="Branch"
          value={journal.branches.find((b) => b.current)?.name ?? ""}
          onChange={(e) => void desk.ask("switch", { name: e.currentTarget.value })}
        >
          {journal.branches.map((b) => (
            <option value={b.name}>{`${b.name} (${b.steps})`}</option>
          ))}
        </select>
      )}
    </footer>
  );
}
