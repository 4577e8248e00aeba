/** Advice: what to try next, how near the roof is, and what makes the schedule slow or large. */
import { useDesk, useIsLate, useView } from "../hooks";
import { Button } from "../parts/button";
import { Running } from "../parts/running";
import { StepButton } from "../parts/step_button";
import { BEFORE, Words } from "../parts/words";
import type { Finding, Proposal, Swept, TrialRow } from "../states";
import { digits, shownGain, shownTime } from "../units";

export function AdvicePane() {
  const known = useView("advice").value;
  const swept = useView("swept").value;
  const isLate = useIsLate("advice");
  if (!known) return <p class="tw-dim">looking at the machine code …</p>;
  if (known.problem !== null) return <p class="tw-problem">{known.problem}</p>;
  return (
    <section class="tw-pane tw-pane-advice" aria-label="Advice">
      <p role="status" class={isLate ? "tw-stale" : ""}>
        {isLate && BEFORE}
        {known.standing}
      </p>
      {known.next.length > 0 && (
        <ul class="tw-choices" aria-label="What to try next">
          {known.next.map((p) => (
            <ProposalItem key={`${p.kind} ${p.steps_text}`} proposal={p} />
          ))}
        </ul>
      )}
      <SweepPart swept={swept} />
      {known.tried.length > 0 && (
        <details>
          <summary title="these are not proposed again for this schedule">Tried without gain ({known.tried.length})</summary>
          <ul class="tw-choices">
            {known.tried.map((text) => (
              <li>{text}</li>
            ))}
          </ul>
        </details>
      )}
      {known.findings.length > 0 && (
        <ul class="tw-choices" aria-label="Findings">
          {known.findings.map((f) => (
            <FindingItem key={`${f.kind} ${f.stage} ${f.loop} ${f.message}`} finding={f} />
          ))}
        </ul>
      )}
      <Words words={known.words} />
    </section>
  );
}

function ProposalItem({ proposal: p }: { proposal: Proposal }) {
  const desk = useDesk();
  return (
    <li>
      <b>{p.kind}</b>{" "}
      <button type="button" class="tw-link" title={`choose stage ${p.stage}`} onClick={() => desk.select(p.stage)}>
        {p.stage}
      </button>{" "}
      <span class="tw-dim">{shownGain(p.gain)}</span>: {p.reason}
      {p.predicted && <div class="tw-dim">predicted: {p.predicted}</div>}
      <div>
        <button
          type="button"
          class="tw-button tw-primary"
          title="time it beside the program as it is, and keep it if it is faster"
          disabled={desk.busy.value !== null}
          onClick={() => void desk.ask("try_steps", { steps: p.steps, others: p.others })}
        >
          Try it
        </button>{" "}
        <StepButton steps={p.steps} title="do these steps, without a trial">
          {p.steps_text}
        </StepButton>
      </div>
    </li>
  );
}

function SweepPart({ swept }: { swept: Swept | null | undefined }) {
  const desk = useDesk();
  return (
    <>
      <p>
        <Button
          title="try other factors and orders in the steps for 20 seconds, in the background; the schedule stays as it is"
          off={desk.busy.value !== null}
          act={() => void desk.ask("sweep")}
        >
          Try other factors and time them
        </Button>
        <Running what={["sweep", "try_steps"]} />
      </p>
      {swept && <SweptTable swept={swept} />}
    </>
  );
}

function SweptTable({ swept }: { swept: Swept }) {
  return (
    <>
      <p class="tw-dim">
        {swept.text}
        {swept.left_out > 0 && `; ${swept.left_out} left out (refused, or the same program)`}
        {!swept.is_current && "; the schedule has changed since"}
      </p>
      <table class="tw-table">
        <thead>
          <tr>
            <th>what is different</th>
            <th>median ± spread</th>
            <th>times as fast</th>
            <th>
              <span class="tw-dim">take</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {swept.rows.map((row) => (
            <SweptRow key={JSON.stringify(row.steps)} row={row} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function SweptRow({ row }: { row: TrialRow }) {
  const desk = useDesk();
  return (
    <tr>
      <td>{row.label}</td>
      <td class="tw-number">{row.seconds === null ? row.message : `${shownTime(row.seconds)} ± ${shownTime(row.spread ?? 0)}`}</td>
      <td class={`tw-number ${(row.gain ?? 0) >= 1.03 ? "tw-good" : ""}`}>{row.gain === null ? "" : digits(row.gain)}</td>
      <td>
        {row.gain !== null && (
          <button type="button" class="tw-button" title={`make this the schedule: ${row.label}`} onClick={() => void desk.ask("take", { steps: row.steps })}>
            Take
          </button>
        )}
      </td>
    </tr>
  );
}

function FindingItem({ finding: f }: { finding: Finding }) {
  const desk = useDesk();
  return (
    <li>
      <b>{f.kind}</b>{" "}
      <button type="button" class="tw-link" title="choose it" onClick={() => desk.select(f.stage, f.loop ?? "")}>
        {f.loop ? `${f.stage}.${f.loop}` : f.stage}
      </button>
      : {f.message}
      {f.steps.length > 0 && (
        <div>
          <StepButton steps={f.steps} title="do these steps">
            {f.steps_text}
          </StepButton>
        </div>
      )}
    </li>
  );
}
