/** Panes behind tabs: only the one that is shown exists, so only its view is made. */
import type { Signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { PANE_DOCS, wantedPane } from "../pane_docs";

interface Tab {
  name: string;
  label: string;
  pane: ComponentType;
}

export function Tabs({ tabs, open, label }: { tabs: readonly Tab[]; open: Signal<string>; label: string }) {
  const shown = tabs.find((t) => t.name === open.value) ?? tabs[0]!;
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(shown) + by + tabs.length) % tabs.length]!;
    open.value = next.name;
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${next.name}"]`)?.focus();
  };
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!tabs.some((t) => t.name === wantedPane.value)) return;
    open.value = wantedPane.value!;
    wantedPane.value = null;
    place.current!.querySelector<HTMLElement>(`[data-tab="${open.value}"]`)?.focus();
  }, [wantedPane.value]);
  const Pane = shown.pane;
  return (
    <div class="tw-tabs" ref={place}>
      <div role="tablist" aria-label={label} class="tw-tablist" onKeyDown={onKey}>
        {tabs.map((t) => (
          <button
            key={t.name}
            type="button"
            role="tab"
            data-tab={t.name}
            aria-selected={t === shown}
            tabIndex={t === shown ? 0 : -1}
            title={PANE_DOCS[t.name]?.[1] ?? t.label}
            onClick={() => (open.value = t.name)}
          >
            {t.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={shown.label} class="tw-tabpanel" tabIndex={0}>
        <Pane />
      </div>
    </div>
  );
}
