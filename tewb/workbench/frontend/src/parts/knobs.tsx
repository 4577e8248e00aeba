/** Values of the journal that can be knobs: each is pressed to be one, and then shows its candidates, to be edited. */
import { useDesk } from "../hooks";
import type { KnobLine } from "../states";
import { Button } from "./button";

/** Presses a value; `label` is what stands on it. */
export function KnobButton({ knob: k, label }: { knob: KnobLine; label: string }) {
  const desk = useDesk();
  return (
    <Button
      pressed={k.pressed}
      name={`Knob: ${k.param} of step ${k.step}`}
      title="a knob is tried with other values by Tune; press again: not any more"
      act={() => void desk.ask(k.pressed ? "unknob" : "knob", { name: k.name })}
    >
      {label}
    </Button>
  );
}

/** The candidates of a knob, as a list to edit. */
export function KnobValues({ knob: k }: { knob: KnobLine }) {
  const desk = useDesk();
  if (!k.pressed) return null;
  return (
    <label class="tw-candidates" title={`what is tried for ${k.text}, now ${k.now}; Enter keeps it`}>
      {k.param} ∈
      <input
        key={k.values}
        defaultValue={k.values}
        aria-label={`Candidates of ${k.param} of step ${k.step}`}
        onKeyDown={(e) => e.stopPropagation()}
        onChange={({ currentTarget: field }) =>
          void desk.ask("knob", { name: k.name, values: field.value }).then((reply) => reply.ok || (field.value = k.values))
        }
      />
    </label>
  );
}
