/** What can be done to the chosen stage and loop: a form for any primitive, legal steps with what they lead to, refused ones with the way there. */
import { useSignal } from "@preact/signals";
import { useDesk, useShort, useView } from "../hooks";
import { PrimitiveFields } from "../parts/primitive_fields";
import { StepButton } from "../parts/step_button";
import type { Choice } from "../states";

export function ActionsPane() {
  const desk = useDesk();
  const { stage, loop } = desk.selected.value;
  const actions = useView("actions", { stage, loop: loop || null });
  const choices = actions.value?.choices ?? [];
  const legal = choices.filter((c) => c.legal);
  const short = useShort();
  return (
    <section class="tw-pane tw-pane-actions" aria-label="What can be done">
      <PrimitiveFields stage={stage} loop={loop} />
      <Choices title={`Can be done to ${loop || short(stage)}`} choices={legal.filter((c) => !c.is_place)} />
      <Choices title={`Where ${short(stage)} can be computed and kept`} choices={legal.filter((c) => c.is_place)} />
      <Refusals choices={choices.filter((c) => !c.legal)} />
    </section>
  );
}

function Choices({ title, choices }: { title: string; choices: readonly Choice[] }) {
  const short = useShort();
  if (!choices.length) return null;
  return (
    <>
      <p class="tw-heading">{title}</p>
      <ul class="tw-choices">
        {choices.map((c) => (
          <li key={c.text}>
            <StepButton steps={c.steps} text={c.text} />
            {c.preview && c.preview.changes.length > 0 && <b> {c.preview.changes.join("; ")}</b>}
            {c.preview && !c.preview.loops.length && <span class="tw-dim"> changes nothing</span>}
            {c.preview?.loops.map((text) => (
              <div class="tw-after" title={text}>
                {short(text)}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function Refusals({ choices }: { choices: readonly Choice[] }) {
  const open = useSignal(false);
  const short = useShort();
  if (!choices.length) return null;
  return (
    <details open={open.value} onToggle={(e) => (open.value = e.currentTarget.open)}>
      <summary title="steps that are refused, why, and the way there">Not now ({choices.length})</summary>
      <ul class="tw-choices">
        {choices.map((c) => (
          <li key={c.text} class="tw-refused">
            <span class="tw-code" title={c.text}>
              {short(c.text)}
            </span>
            : {c.reason} {c.hint && <i>{c.hint}</i>}
            {c.steps.length > 0 && (
              <div>
                <StepButton steps={c.steps} text={c.steps_text} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </details>
  );
}
