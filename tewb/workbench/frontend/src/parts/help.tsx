/** The panes and the keys, on one sheet. */
import { useRef } from "preact/hooks";
import { CODE_KEYS, COMMANDS, isHelpOpen, TREE_KEYS } from "../commands";
import { PANE_DOCS } from "../pane_docs";
import { useModal } from "./modal";

export function Help() {
  return isHelpOpen.value ? <OpenHelp /> : null;
}

function OpenHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  useModal(dialog);
  const close = () => (isHelpOpen.value = false);
  return (
    <dialog ref={dialog} class="tw-dialog" aria-label="Keys" onClose={close} onClick={(e) => e.target === dialog.current && close()}>
      <button type="button" class="tw-button tw-close" title="Escape closes it too" onClick={close}>
        Close
      </button>
      <p>
        Choose a loop in the tree; <b>Do</b> lists what is legal for it. What is refused says why and changes nothing. Hover over a loop, a
        step or a line of code: all that is the same lights up.
      </p>
      <p class="tw-heading">Panes</p>
      <dl>
        {Object.entries(PANE_DOCS).map(([name, [label, doc]], i) => (
          <div key={name}>
            <dt>
              {i < 9 && <kbd>{i + 1}</kbd>} {label}
            </dt>
            <dd>{doc}</dd>
          </div>
        ))}
      </dl>
      <p class="tw-heading">Everywhere in the workbench</p>
      <dl>
        {COMMANDS.filter((c) => c.keys.length && !/^Show [A-Z]/.test(c.name)).map((c) => (
          <div key={c.name}>
            <dt>
              {c.keys.map((k) => (
                <kbd>{k.replace("Mod", "Ctrl")}</kbd>
              ))}
            </dt>
            <dd>{c.name}</dd>
          </div>
        ))}
      </dl>
      <Keys title="On a loop of the tree" keys={TREE_KEYS} />
      <Keys title="In the code" keys={CODE_KEYS} />
    </dialog>
  );
}

function Keys({ title, keys }: { title: string; keys: readonly [string, string][] }) {
  return (
    <>
      <p class="tw-heading">{title}</p>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
