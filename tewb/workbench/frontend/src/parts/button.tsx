/** A button as most are. `name` is what screen readers call it, where its text does not say enough; `look` is a class of its own. */
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  act(): void;
  off?: boolean;
  isMain?: boolean;
  pressed?: boolean;
  name?: string;
  look?: string;
  children: ComponentChildren;
}

export function Button({ title, act, off, isMain, pressed, name, look, children }: Props) {
  return (
    <button type="button" class={look ?? (isMain ? "tw-button tw-primary" : "tw-button")} title={title} disabled={off} aria-pressed={pressed} aria-label={name} onClick={act}>
      {children}
    </button>
  );
}
