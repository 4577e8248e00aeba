/** A button that does steps: their text, with long names cut; the tooltip has all of it. */
import type { ComponentChildren } from "preact";
import { useDesk, useShort } from "../hooks";
import type { StepJson } from "../messages";

interface Props {
  steps: readonly (Record<string, unknown> | StepJson)[];
  text?: string;
  children?: ComponentChildren;
  title?: string;
}

export function StepButton({ steps, text, children, title }: Props) {
  const desk = useDesk();
  const short = useShort();
  return (
    <button
      type="button"
      class="tw-button tw-step-button"
      title={title ?? text ?? "do this"}
      disabled={steps.length === 0}
      onClick={() => void desk.do(...(steps as unknown as StepJson[]))}
    >
      {text === undefined ? children : short(text)}
    </button>
  );
}
