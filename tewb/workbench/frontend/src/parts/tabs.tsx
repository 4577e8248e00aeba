/** Panes behind tabs: only the one that is shown exists, so only its view is made. */
import type { Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { PANE_DOCS, wantedPane } from "../pane_docs";
import { paneNamed } from "../panes";

export function Tabs({ tabs, open, label }: { tabs: readonly string[]; open: Signal<string>; label: string }) {
  const shown = tabs.includes(open.value) ? open.value : tabs[0]!;
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(shown) + by + tabs.length) % tabs.length]!;
    open.value = next;
    (event.currentTarget as HTMLElement).querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!tabs.includes(wantedPane.value!)) return;
    open.value = wantedPane.value!;
    wantedPane.value = null;
    place.current!.querySelector<HTMLElement>(`[data-tab="${open.value}"]`)?.focus();
  }, [wantedPane.value]);
  const Pane = paneNamed(shown);
  const about = (name: string) => PANE_DOCS[name] ?? ["Loops", "the loops of all stages, each stage in the loop where it is computed"];
  return (
    <div class="tw-tabs" ref={place}>
      <div role="tablist" aria-label={label} class="tw-tablist" onKeyDown={onKey}>
        {tabs.map((t) => (
          <button
            key={t}
            type="button"
            role="tab"
            data-tab={t}
            aria-selected={t === shown}
            tabIndex={t === shown ? 0 : -1}
            title={about(t)[1]}
            onClick={() => (open.value = t)}
          >
            {about(t)[0]}
          </button>
        ))}
      </div>
      <div role="tabpanel" aria-label={about(shown)[0]} class="tw-tabpanel" tabIndex={0}>
        <Pane />
      </div>
    </div>
  );
}
