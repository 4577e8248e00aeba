/** The command palette: every legal step, those on what is selected first, and every command, found by typing; and first of all
 * what typed words and numbers mean. The name of a step alone means those of that name, and those that are refused, with the reason. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { COMMANDS, isPaletteOpen } from "../commands";
import { useDesk, useShort, useView } from "../hooks";
import type { StepJson } from "../messages";
import { inOrder, matches } from "../match";
import { useModal } from "./modal";

/** What words mean, as `requests.py` says it. */
interface Typed {
  text: string;
  note: string;
  request: string;
  arguments: Record<string, unknown>;
}

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
  const about = { stage, loop: loop || null };
  const actions = useView("actions", about);
  const all = useView("steps", { stage });
  const short = useShort();
  const typed = useSignal("");
  const at = useSignal(0);
  const dialog = useRef<HTMLDialogElement>(null);
  useModal(dialog);

  const words = typed.value.trim();
  const read = useSignal<{ words: string; found: Typed[] }>({ words: "", found: [] });
  useEffect(() => {
    if (words.length > 2) void desk.inquire("typed", { text: words, stage, loop }).then((r) => (read.value = { words, found: (r.found as Typed[] | null) ?? [] }));
  }, [words]);
  const isRead = read.value.words === words;

  const near = (actions.value?.choices ?? []).filter((c) => c.legal); // on what is chosen, with what they lead to
  const known = new Set(near.map((c) => c.text));
  const steps: Entry[] = [...near, ...(all.value ?? []).filter((c) => !known.has(c.text))].map((c) => ({
    text: c.text,
    note: c.preview?.changes.join("; ") ?? "",
    keys: "",
    run: () => void desk.do(...(c.steps as unknown as StepJson[])),
  }));
  const commands: Entry[] = COMMANDS.map((c) => ({ text: c.name, note: "", keys: c.keys[0] ?? "", run: () => c.run(desk) }));
  const meant: Entry[] = (isRead ? read.value.found : []).map((t) => ({ ...t, keys: "", run: () => void desk.ask(t.request, t.arguments) }));
  const others = [...steps.slice(0, near.length), ...commands, ...steps.slice(near.length)];
  const found = inOrder(words, meant, matches(typed.value, others, (e) => e.text));
  const chosen = Math.min(at.value, found.length - 1);

  // Enter means what will be found: it waits for the steps that may stand there, after an edit for those of now.
  const isReading = words.length > 2 && !isRead && (/\s/.test(words) || !found.length);
  const isComing = actions.value === undefined || desk.isOld("actions", about) || isReading || (!found.length && (all.value === undefined || desk.isOld("steps", { stage })));
  const wanted = useRef(false);
  const close = () => (isPaletteOpen.value = false);
  const run = (entry: Entry | undefined) => {
    close();
    entry?.run();
  };
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) at.value = (chosen + by + found.length) % Math.max(found.length, 1);
    else if (event.key === "Enter" && isComing) wanted.current = true;
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  useEffect(() => {
    if (wanted.current && !isComing) run(found[chosen]);
  }, [isComing]);

  return (
    <dialog ref={dialog} class="tw-dialog tw-palette" aria-label="All steps and commands" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="tw-found"
        aria-activedescendant={`tw-found-${chosen}`}
        title="letters of a step or a command, or a step with its arguments: split i 16; arrows choose, Enter does it"
        placeholder="a step, as: tile 8 32, or a command"
        value={typed.value}
        onInput={(e) => {
          typed.value = e.currentTarget.value;
          at.value = 0;
          wanted.current = false;
        }}
        onKeyDown={onKey}
      />
      <ul id="tw-found" role="listbox" aria-label="Found">
        {found.map((entry, i) => (
          <li
            key={entry.text}
            id={`tw-found-${i}`}
            role="option"
            title={entry.text}
            aria-selected={i === chosen}
            ref={(el) => {
              if (i === chosen) el?.scrollIntoView({ block: "nearest" });
            }}
            onMouseMove={() => (at.value = i)}
            onClick={() => run(entry)}
          >
            {short(entry.text)} <span class="tw-dim">{entry.note.replaceAll("\n", "; ")}</span>
            {entry.keys && <kbd>{entry.keys.replace("Mod", "Ctrl")}</kbd>}
          </li>
        ))}
        {!found.length && <li class="tw-dim">{isComing ? "looking for steps …" : "nothing is called so"}</li>}
      </ul>
    </dialog>
  );
}
