/** Tune: the knobs of the journal, searches over them or without any, and the table of trials. The table scrolls by itself, and so
 * does what stands above it, so that some rows are in view in a low pane too. */
import { useSignal } from "@preact/signals";
import { useDesk, useShort, useView } from "../hooks";
import { Button } from "../parts/button";
import { KnobButton, KnobValues } from "../parts/knobs";
import { LeadPlot } from "../parts/lead_plot";
import { Running } from "../parts/running";
import { remembered } from "../remembered";
import type { KnobLine, Knobs, TrialLine, Trials } from "../states";
import { pressed, sorted, type Sort } from "../trial_rows";
import { digits } from "../units";

export function TunePane() {
  const knobs = useView("knobs").value;
  const trials = useView("trials").value;
  return (
    <section class="tw-pane tw-pane-tune" aria-label="Tune">
      <div class="tw-tune-above">
        {knobs && <Searches knobs={knobs} />}
        {trials?.kind && <Outcome trials={trials} />}
        {knobs && <KnobList lines={knobs.lines} />}
      </div>
      {trials?.kind && <Table trials={trials} />}
    </section>
  );
}

function Searches({ knobs: { lines, can_tune, text } }: { knobs: Knobs }) {
  const desk = useDesk();
  const seconds = remembered("tune-seconds", 20);
  const busy = desk.busy.value !== null;
  const some = lines.some((k) => k.pressed);
  const begin = (what: string) => void desk.ask(what, { seconds: seconds.value });
  return (
    <div class="tw-form-fields">
      <input type="number" class="tw-factor" aria-label="Seconds" title="seconds that a search may take" value={seconds.value} onChange={(e) => (seconds.value = Number(e.currentTarget.value))} />
      s
      <Button isMain title="try other values, in the background" off={busy || !can_tune} act={() => begin("tune")}>
        Tune {some ? "these knobs" : "all factors"}
      </Button>
      <Button title="look for all steps, in the background, without knobs" off={busy} act={() => begin("autoschedule")}>
        Autoschedule
      </Button>
      <Running what={["tune", "autoschedule"]} />
      <span class="tw-dim">{text}</span>
    </div>
  );
}

function KnobList({ lines }: { lines: readonly KnobLine[] }) {
  const short = useShort();
  return (
    <ul class="tw-choices tw-knobs" aria-label="Knobs">
      {lines.map((k) => (
        <li key={k.name}>
          <KnobButton knob={k} label={`${k.step} ${short(k.text)}: ${k.now}`} />
          <KnobValues knob={k} />
        </li>
      ))}
    </ul>
  );
}

/** What came of the last search: the best trial and those that are pinned beside the schedule as it is, and how the best time fell. */
function Outcome({ trials }: { trials: Trials }) {
  const short = useShort();
  return (
    <>
      <p>{trials.text}</p>
      {trials.compared.map((c) => (
        <details key={c.number} open={c.is_best}>
          <summary title="what is different: - in the schedule as it is, + in the trial">{c.text}</summary>
          {c.changes.map(({ sign, text }) => (
            <div class={`tw-code ${sign === "+" ? "tw-good" : "tw-bad"}`}>
              {sign} {short(text)}
            </div>
          ))}
        </details>
      ))}
      {trials.leads.length > 0 && <LeadPlot trials={trials} />}
    </>
  );
}

function Table({ trials }: { trials: Trials }) {
  const short = useShort();
  const sort = useSignal<Sort>({ by: "seconds", down: false });
  const { by: now, down } = sort.value;
  const head = (by: Sort["by"], text: string, share: number | null = null) => (
    <th key={by} aria-sort={by === now ? (down ? "descending" : "ascending") : undefined}>
      <button type="button" class="tw-link" title="sort by it" onClick={() => (sort.value = pressed(sort.value, by))}>
        {text}
        {by === now && (down ? " ▾" : " ▴")}
      </button>
      {share !== null && (
        <div class="tw-share" title="how much of the spread of times it explains" style={{ "--share": `${share * 100}%` }}>
          mattered {Math.round(share * 100)} %
        </div>
      )}
    </th>
  );
  return (
    <div class="tw-trials-box" tabIndex={0} role="group" aria-label="Table of trials">
      <table class="tw-table tw-trials" aria-label="Trials">
        <thead>
          <tr>
            {head("number", "trial")}
            {head("state", "state")}
            {head("seconds", "median ± spread")}
            <th class="tw-number" title="how many times as fast as the schedule as it is">
              × mine
            </th>
            {trials.columns.map((c, i) => head(i, short(c.text), c.importance))}
            <td class="tw-row-tools" />
          </tr>
        </thead>
        <tbody>
          {sorted(trials.rows, sort.value).map((row) => (
            <Row key={row.number} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row: { number, state, text, seconds, time, times, values, pinned } }: { row: TrialLine }) {
  const desk = useDesk();
  return (
    <tr class={pinned ? "tw-lit" : ""}>
      <td>{number}</td>
      <td class={state === "ok" ? "tw-good" : /wrong|hung|killed|failed/.test(state) ? "tw-bad" : ""} title={text}>
        {text}
      </td>
      <td class={seconds === null ? "tw-dim" : "tw-number"} title={time}>
        {time}
      </td>
      <td class="tw-number">{times && digits(times)}</td>
      {values.map((v) => (
        <td title={v}>{v}</td>
      ))}
      <td class="tw-row-tools">
        <Button pressed={pinned} name={`Pin trial ${number}`} title="keep it on top, and beside mine" act={() => void desk.ask("pin_trial", { number, pinned: !pinned })}>
          Pin
        </Button>{" "}
        <Button name={`Use trial ${number}: to the journal`} title="make its steps the schedule; undo goes back" off={state === "refused"} act={() => void desk.ask("take_trial", { number })}>
          Use
        </Button>
      </td>
    </tr>
  );
}
