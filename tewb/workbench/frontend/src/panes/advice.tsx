/** Advice: what makes the schedule slow or large, each with the steps that answer it. */
import { useDesk, useView } from "../hooks";
import { StepButton } from "../parts/step_button";

export function AdvicePane() {
  const desk = useDesk();
  const advice = useView("advice");
  const known = advice.value;
  if (!known) return <p class="tw-dim">looking at the machine code …</p>;
  if (known.problem !== null) return <p class="tw-problem">{known.problem}</p>;
  if (!known.findings.length) return <p class="tw-dim">Nothing was found that a step would make better.</p>;
  return (
    <section class="tw-pane tw-pane-advice" aria-label="Advice">
      <ul class="tw-choices">
        {known.findings.map((f) => (
          <li key={`${f.kind} ${f.stage} ${f.loop} ${f.message}`}>
            <b>{f.kind}</b>{" "}
            <button type="button" class="tw-link" onClick={() => desk.select(f.stage, f.loop ?? "")}>
              {f.loop ? `${f.stage}.${f.loop}` : f.stage}
            </button>
            : {f.message}
            {f.steps.length > 0 && (
              <div>
                <StepButton steps={f.steps}>{f.steps_text}</StepButton>
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
