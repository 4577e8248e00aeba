/** The command palette: every legal step on what is selected, and every command, found by typing. */
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { COMMANDS, isPaletteOpen } from "../commands";
import { useDesk, useView } from "../hooks";
import type { StepJson } from "../messages";
import { matches } from "../match";
import { useModal } from "./modal";

interface Entry {
  text: string;
  note: string;
  keys: string;
  run(): void;
}

export function CommandPalette() {
  return isPaletteOpen.value ? <OpenPalette /> : null;
}

function OpenPalette() {
  const desk = useDesk();
  const { stage, loop } = desk.selected.value;
  const actions = useView("actions", { stage, loop: loop || null });
  const typed = useSignal("");
  const at = useSignal(0);
  const dialog = useRef<HTMLDialogElement>(null);
  useModal(dialog);

  const steps: Entry[] = (actions.value?.choices ?? [])
    .filter((c) => c.legal)
    .map((c) => ({
      text: c.text,
      note: c.preview?.changes.join("; ") ?? "",
      keys: "",
      run: () => void desk.do(...(c.steps as unknown as StepJson[])),
    }));
  const commands: Entry[] = COMMANDS.map((c) => ({ text: c.name, note: "", keys: c.keys[0] ?? "", run: () => c.run(desk) }));
  const found = matches(typed.value, [...steps, ...commands], (e) => e.text).slice(0, 60);
  const chosen = Math.min(at.value, found.length - 1);

  const close = () => (isPaletteOpen.value = false);
  const run = (entry: Entry | undefined) => {
    close();
    entry?.run();
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) at.value = (chosen + by + found.length) % Math.max(found.length, 1);
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };

  return (
    <dialog ref={dialog} class="tw-dialog tw-palette" aria-label="All steps and commands" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="tw-found"
        aria-activedescendant={`tw-found-${chosen}`}
        placeholder={`a step on ${loop ? `${stage}.${loop}` : stage}, or a command`}
        value={typed.value}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={onKey}
      />
      <ul id="tw-found" role="listbox" aria-label="Found">
        {found.map((entry, i) => (
          <li
            key={entry.text}
            id={`tw-found-${i}`}
            role="option"
            aria-selected={i === chosen}
            ref={(el) => {
              if (i === chosen) el?.scrollIntoView({ block: "nearest" });
            }}
            onMouseMove={() => (at.value = i)}
            onClick={() => run(entry)}
          >
            {entry.text} <span class="tw-dim">{entry.note}</span>
            {entry.keys && <kbd>{entry.keys.replace("Mod", "Ctrl")}</kbd>}
          </li>
        ))}
        {!found.length && <li class="tw-dim">nothing is called so</li>}
      </ul>
    </dialog>
  );
}
