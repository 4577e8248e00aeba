/** The keys, on one sheet. */
import { useRef } from "preact/hooks";
import { COMMANDS, isHelpOpen, TREE_KEYS } from "../commands";
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
      <p class="tw-heading">Everywhere in the workbench</p>
      <dl>
        {COMMANDS.filter((c) => c.keys.length).map((c) => (
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
      <p class="tw-heading">On a loop of the tree</p>
      <dl>
        {TREE_KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="tw-button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
