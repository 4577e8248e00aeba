/** The journal: every step can be gone to, moved, noted and deleted where it stands; recipes; branches, the pin, and what to share. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { useDesk, useShort, useView } from "../hooks";
import { between, piecesOf, rowsOf, type JournalRow } from "../journal_rows";
import { Button } from "../parts/button";
import { KnobButton, KnobValues } from "../parts/knobs";
import { EditRecipe, MakeRecipe } from "../parts/recipe_forms";
import { share, writeCell } from "../sharing";
import type { Journal, KnobLine, StepLine } from "../states";
import { shownTime } from "../units";

export function JournalPane() {
  const desk = useDesk();
  const journal = useView("journal");
  const opened = useSignal<ReadonlySet<string>>(new Set());
  const from = useSignal<string | null>(null);
  const to = useSignal<string | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const knobs = useView("knobs").value?.lines ?? [];
  const known = journal.value;
  if (!known) return null;
  const rows = rowsOf(known.steps, known.recipes, opened.value);
  const selected = to.value === null ? null : between(rows, from.value, to.value);

  const choose = (row: JournalRow, extend: boolean) => {
    if (extend) [from.value, to.value] = [from.value ?? row.key, row.key];
    else [from.value, to.value] = [row.key, null];
  };
  const unfold = (row: JournalRow, open = !row.isOpen) => {
    const keys = new Set(opened.value);
    keys[open ? "add" : "delete"](row.key);
    opened.value = keys;
  };
  const onKey = (event: KeyboardEvent) => {
    const links = [...list.current!.querySelectorAll<HTMLElement>(".tw-step > .tw-link")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = rows[at + (by ?? 0)];
    if (at < 0 || !row || event.altKey || event.ctrlKey || event.metaKey) return;
    if (by) {
      if (event.shiftKey && to.value === null) from.value = rows[at]!.key;
      choose(row, event.shiftKey);
      links[at + by]!.focus();
    } else if (row.recipe && (event.key === "ArrowRight" || event.key === "ArrowLeft")) unfold(row, event.key === "ArrowRight");
    else if (event.key === "Escape" && selected) to.value = null;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class="tw-pane tw-pane-journal" aria-label="Journal">
      <ol class="tw-steps" ref={list} onMouseLeave={() => desk.dim()} onKeyDown={onKey} onMouseDown={(e) => e.shiftKey && e.preventDefault()}>
        {rows.map((row) => (
          <Row
            key={row.key}
            row={row}
            steps={known.steps}
            knobs={row.step && !row.ahead ? knobs.filter((k) => k.step === row.first) : []}
            pinnedAt={known.pinned_at}
            isSelected={selected !== null && row.first >= selected[0] && row.first < selected[0] + selected[1]}
            choose={(extend) => choose(row, extend)}
            unfold={() => unfold(row)}
          />
        ))}
      </ol>
      {!known.steps.length && <p class="tw-dim">No steps yet: choose a loop, then press a key (? shows them) or a button.</p>}
      {selected && <MakeRecipe key={selected.join()} first={selected[0]} count={selected[1]} close={() => (to.value = null)} />}
      <Foot journal={known} makeRecipe={() => ([from.value, to.value] = [rows[0]!.key, rows.findLast((r) => !r.ahead)!.key])} />
    </section>
  );
}

interface RowProps {
  row: JournalRow;
  steps: readonly StepLine[];
  knobs: readonly KnobLine[];
  pinnedAt: number | null;
  isSelected: boolean;
  choose(extend: boolean): void;
  unfold(): void;
}

function Row({ row, steps, knobs, pinnedAt, isSelected, choose, unfold }: RowProps) {
  const desk = useDesk();
  const writing = useSignal(false);
  const { step, recipe, first, count, ahead } = row;
  const end = first + count - 1;
  const lit = steps.slice(first - 1, end).some((s) => desk.lit.value.steps.has(s.number - 1));
  const name = recipe ? `recipe ${recipe.name}` : `step ${first}`;
  const seconds = row.isOpen ? null : steps[end - 1]!.seconds;
  const where = (step ?? recipe)!.where;
  const checked = useView("checked").value;
  const wrong = checked?.test === "different" && checked.step !== null && checked.step >= first - 1 && checked.step < end;
  const short = useShort();
  const text = short((step ?? recipe)!.text);
  const pieces = recipe ? [] : piecesOf(text, knobs);
  const onKey = (event: KeyboardEvent) => {
    const to = event.altKey ? { ArrowUp: row.up, ArrowDown: row.down }[event.key] : null;
    if (typeof to === "number") void desk.ask("move", { step: first, to, count });
    else if (event.key === "Delete" && !ahead) void desk.ask("delete", { step: first, count });
    else if (event.key === "n" && !ahead && !event.ctrlKey && !event.metaKey) writing.value = true;
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event: MouseEvent) => {
    choose(event.shiftKey);
    if (!event.shiftKey) void desk.ask("jump", { step: end });
  };
  return (
    <li
      class={`tw-step${ahead ? " tw-ahead" : ""}${lit ? " tw-lit" : ""}${isSelected ? " tw-selected" : ""}`}
      style={{ marginLeft: `${row.depth * 1.4}em` }}
      value={first}
      onMouseEnter={() => !ahead && desk.light([], Array.from({ length: count }, (_, i) => first - 1 + i))}
    >
      {recipe && (
        <button type="button" class="tw-tool" aria-expanded={row.isOpen} aria-label={`Steps of ${recipe.name}`} title={`${count} steps: show or hide them`} onClick={unfold}>
          {row.isOpen ? "▾" : "▸"}
        </button>
      )}
      <button
        type="button"
        class="tw-link"
        aria-label={text}
        title={`${(step ?? recipe)!.text}${where && `\nat ${where}`}\n\nEnter: go to the state after it; Delete, Alt+arrows, N: delete, move, note it; Shift+arrows: select`}
        onKeyDown={onKey}
        onClick={onClick}
      >
        {recipe ? <b>{text}</b> : pieces[0]!.text}
      </button>
      {pieces.slice(1).map((piece) =>
        piece.knob ? (
          <KnobButton key={piece.knob.name} knob={piece.knob} label={piece.text} isValue />
        ) : (
          <span class="tw-rest" onClick={onClick}>
            {piece.text}
          </span>
        ),
      )}
      {knobs
        .filter((k) => pieces.every((piece) => piece.knob !== k))
        .map((k) => (
          <span key={k.name}>
            {" "}
            <KnobButton knob={k} label={k.kind === "flag" ? "or not" : k.param} isValue />
          </span>
        ))}
      {isSelected && <span class="tw-hidden">selected</span>}
      {recipe && recipe.state !== "same" && (
        <span class="tw-mark" title={recipe.state === "changed" ? "its steps were edited, so it is no call of the recipe any more" : "the recipe is not defined here; its steps are known"}>
          {recipe.state === "changed" ? "edited" : "steps only"}
        </span>
      )}
      {step?.name && <span class="tw-mark">{step.name}</span>}
      {pinnedAt !== null && pinnedAt >= first && pinnedAt <= end && !row.isOpen && <span class="tw-mark">pinned</span>}
      {wrong && <b class="tw-bad"> ✗ changed the result</b>}
      {seconds !== null && <span class="tw-dim"> {shownTime(seconds)}</span>}
      <span class="tw-step-tools">
        <Tool label={`Move ${name} earlier`} sign="↑" off={row.up === null} act={() => desk.ask("move", { step: first, to: row.up, count })} />
        <Tool label={`Move ${name} later`} sign="↓" off={row.down === null} act={() => desk.ask("move", { step: first, to: row.down, count })} />
        <Tool
          label={recipe ? `Arguments of ${recipe.name}` : `Note ${name}`}
          sign="✎"
          off={ahead || (recipe !== null && recipe.state === "unknown")}
          act={() => (writing.value = !writing.value)}
        />
        {recipe && <Tool label={`Take ${name} apart into its steps`} sign="⊟" off={ahead} act={() => desk.ask("open_recipe", { step: first, count })} />}
        <Tool label={`Delete ${name}`} sign="✕" off={ahead} act={() => desk.ask("delete", { step: first, count })} />
      </span>
      {knobs.map((k) => k.pressed && <KnobValues key={k.name} knob={k} />)}
      {step?.note && !writing.value && <div class="tw-note">{step.note}</div>}
      {recipe && writing.value && <EditRecipe recipe={recipe} close={() => (writing.value = false)} />}
      {step && writing.value && <Note step={step} close={() => (writing.value = false)} />}
    </li>
  );
}

function Note({ step, close }: { step: StepLine; close(): void }) {
  const desk = useDesk();
  return (
    <input
      class="tw-note-field"
      ref={(el) => el?.focus()}
      defaultValue={step.note}
      title="Enter keeps the note, Escape leaves it"
      aria-label={`Note for step ${step.number}`}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") close();
        if (e.key !== "Enter") return;
        close();
        void desk.ask("label", { step: step.number, note: e.currentTarget.value });
      }}
    />
  );
}

function Tool({ label, sign, off, act }: { label: string; sign: string; off: boolean; act(): unknown }) {
  return (
    <button type="button" class="tw-tool" aria-label={label} title={label} disabled={off} onClick={() => act()}>
      {sign}
    </button>
  );
}

function Foot({ journal, makeRecipe }: { journal: Journal; makeRecipe(): void }) {
  const desk = useDesk();
  const name = useSignal("");
  return (
    <footer class="tw-bar">
      <Button act={() => void share(desk)} off={!journal.steps.length} title="copy the journal as one line, to paste into Schedule, here or elsewhere (Shift+S)">
        Share
      </Button>
      {desk.notebook && (
        <Button off={!journal.steps.length} title="write the schedule as code into a cell below (W)" act={() => void writeCell(desk)}>
          To a cell
        </Button>
      )}
      <Button
        off={!journal.steps[0] || journal.steps[0].ahead}
        title="make one named step with parameters of all steps, or of some: select them with Shift+click or Shift+arrows"
        act={makeRecipe}
      >
        Recipe
      </Button>
      <Button title="take all steps back; undo brings them again" act={() => void desk.ask("reset")} off={!journal.can_undo}>
        Start over
      </Button>
      <Button
        off={!journal.steps.length}
        title="look for the fewest steps and the smallest sizes that still give a wrong result, fail, or are slow; undo goes back"
        act={() => void desk.ask("minimise")}
      >
        Minimise
      </Button>
      {journal.pinned_steps !== null && (
        <Button title="forget the pinned schedule" act={() => void desk.ask("unpin")}>
          Unpin
        </Button>
      )}
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void desk.ask("branch", { name: name.value });
          name.value = "";
        }}
      >
        <input size={10} placeholder="new branch" title="Enter begins a branch of this name here" aria-label="Name of a new branch" value={name.value} onInput={(e) => (name.value = e.currentTarget.value)} />
      </form>
      {journal.branches.length > 1 && (
        <select
          aria-label="Branch"
          title="the branch that is shown"
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
