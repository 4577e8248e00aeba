/** Dialogs: shown over everything, and the focus goes back to where it was. */
import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** Show a dialog while its component is there. */
export function useModal(dialog: RefObject<HTMLDialogElement | null>): void {
  useLayoutEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current!;
    shown.showModal();
    return () => {
      shown.close(); // first: what is outside of an open one cannot take the focus
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
}
