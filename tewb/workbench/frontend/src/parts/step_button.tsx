/** A button that does steps. */
import type { ComponentChildren } from "preact";
import { useDesk } from "../hooks";
import type { StepJson } from "../messages";

export function StepButton({ steps, children, title }: { steps: readonly Record<string, unknown>[]; children: ComponentChildren; title?: string }) {
  const desk = useDesk();
  return (
    <button
      type="button"
      class="tw-button tw-step-button"
      {...(title === undefined ? {} : { title })}
      disabled={steps.length === 0}
      onClick={() => void desk.do(...(steps as unknown as StepJson[]))}
    >
      {children}
    </button>
  );
}
