/** Threads: what each did in one call of the kernel, and why it was idle; or which loops could be shared. */
import { useDesk, useView } from "../hooks";
import { Button } from "../parts/button";
import { Running } from "../parts/running";
import { StepButton } from "../parts/step_button";
import { swatch, Timeline } from "../parts/timeline";
import type { Threads, ThreadTimeline } from "../states";
import { counted, grouped, shownTime } from "../units";

const MEASURING = "measuring the threads";

export function ThreadsPane() {
  const desk = useDesk();
  const known = useView("threads").value;
  const busy = desk.busy.value;
  if (!known) return <p class="tw-dim">looking for loops that can be parallel …</p>;
  return (
    <section class="tw-pane tw-pane-threads" aria-label="Threads">
      <p>
        <Button
          title="run the kernel a few times, for 10 s at most, and see what each thread does"
          off={busy !== null || known.problem !== null}
          act={() => void desk.ask("measure_threads")}
        >
          Measure the threads
        </Button>{" "}
        <Running what={[MEASURING]} />
        {busy?.what !== MEASURING && (
          <span class="tw-dim">
            {counted(known.threads, "thread")} on {counted(known.processors, "processor")}
          </span>
        )}
      </p>
      {known.problem !== null && <p class="tw-problem">{known.problem}</p>}
      {known.note && <Choices known={known} />}
      {known.measured && <Measured t={known.measured} />}
    </section>
  );
}

/** Without a parallel loop: what one would be, and the steps that make one. */
function Choices({ known }: { known: Threads }) {
  return (
    <>
      <p>{known.note}</p>
      <ul class="tw-choices">
        {known.choices.map((c) => (
          <li key={c.text}>
            <StepButton steps={c.steps} title="make this loop parallel">
              {c.text}
            </StepButton>{" "}
            <span class="tw-dim">
              {c.iterations !== null && counted(c.iterations, "iteration")}
              {c.runs !== null && c.runs > 1 && `, begun ${grouped(Math.round(c.runs))} times`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Measured({ t }: { t: ThreadTimeline }) {
  const desk = useDesk();
  return (
    <>
      {!t.is_current && <p class="tw-bad">As of {counted(t.steps, "step")}; the schedule is another one now.</p>}
      <p>
        <b>{t.sentence}</b>
      </p>
      <Timeline t={t} />
      <ul class="tw-choices" onMouseLeave={() => desk.dim()}>
        {t.loops.map((l, i) => (
          <li key={i} onMouseEnter={() => t.is_current && l.part !== null && desk.light([l.part])}>
            <span class={`tw-swatch ${swatch(i)}`} />
            {l.text}
          </li>
        ))}
      </ul>
      {t.reasons.map((r) => (
        <p key={r}>{r}</p>
      ))}
      <p class="tw-dim">
        A call that is not traced takes {shownTime(t.plain)}.{t.others > 0 && ` ${counted(t.others, "more thread")} not shown.`}
        {t.dropped > 0 && ` ${counted(t.dropped, "more task")} counted, not shown.`}
      </p>
    </>
  );
}
