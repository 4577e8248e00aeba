/** Values of the journal that can be knobs: each is pressed to be one, and then shows its candidates, to be edited. */
import { useRef } from "preact/hooks";
import { useDesk } from "../hooks";
import type { KnobLine } from "../states";
import { Button } from "./button";

const WHAT: Record<string, string> = { flag: "a knob: Tune tries with and without this step" };

/** Presses a value; `label` is what stands on it. With `isValue` it looks as the text that it stands in. */
export function KnobButton({ knob: k, label, isValue }: { knob: KnobLine; label: string; isValue?: boolean }) {
  const desk = useDesk();
  return (
    <Button
      pressed={k.pressed}
      look={isValue ? "tw-value" : "tw-button"}
      name={`Knob: ${k.param} of step ${k.step}`}
      title={`${WHAT[k.kind] ?? "a knob: Tune tries other values for it"}; press again: not any more`}
      act={() => void desk.ask(k.pressed ? "unknob" : "knob", { name: k.name })}
    >
      {label}
    </Button>
  );
}

/** The candidates of a knob, as a list to edit: all of it is in view. */
export function KnobValues({ knob: k }: { knob: KnobLine }) {
  const desk = useDesk();
  const kept = useRef(k.values);
  if (!k.pressed) return null;
  const keep = async (field: HTMLTextAreaElement) => {
    if (field.value === kept.current) return;
    kept.current = field.value;
    const reply = await desk.ask("knob", { name: k.name, values: field.value });
    if (!reply.ok) field.value = kept.current = k.values;
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key !== "Enter") return;
    event.preventDefault();
    void keep(event.currentTarget as HTMLTextAreaElement);
  };
  return (
    <label class="tw-candidates" title={`what is tried for ${k.text}, now ${k.now}; Enter keeps it`}>
      {k.param} ∈
      <textarea
        key={k.values}
        rows={1}
        spellcheck={false}
        defaultValue={k.values}
        aria-label={`Candidates of ${k.param} of step ${k.step}`}
        onFocus={() => (kept.current = k.values)}
        onKeyDown={onKey}
        onChange={(e) => void keep(e.currentTarget)}
      />
    </label>
  );
}
