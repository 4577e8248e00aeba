/** Why something is as it is: a chain of plain sentences about the chosen stage and loop. */
import { useSignal } from "@preact/signals";
import { useDesk, useView } from "../hooks";

const QUESTIONS = [
  ["bound", "this loop has so many iterations"],
  ["allocation", "this stage takes its memory"],
  ["guard", "there are guards"],
  ["simplification", "indices became simple"],
] as const;

export function WhyPane() {
  const desk = useDesk();
  const question = useSignal("bound");
  const { stage, loop } = desk.selected.value;
  const why = useView("why", { what: question.value, stage, loop: loop || null });
  return (
    <section class="tw-pane tw-pane-why" aria-label="Why">
      <label class="tw-field">
        <span>Why</span>
        <select title="what is to be explained" value={question.value} onChange={(e) => (question.value = e.currentTarget.value)}>
          {QUESTIONS.map(([value, text]) => (
            <option value={value}>{text}</option>
          ))}
        </select>
      </label>
      {why.value && (
        <>
          <p class="tw-heading">{why.value.question}</p>
          <ol>
            {why.value.sentences.map((s) => (
              <li>{s}</li>
            ))}
          </ol>
          <p>
            <b>So:</b> {why.value.answer}
          </p>
        </>
      )}
    </section>
  );
}
