/** The focus never falls out of the workbench: when what has it goes away or is switched off, something near takes it.
 * But for fields and names in lists this is nothing that takes keys: Enter once more does not do something else. */

const FOCUSABLE = "button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea, summary, [tabindex='0']";

/** Look after the focus inside of `root`. Returns a function that ends this. */
export function keepFocus(root: HTMLElement): () => void {
  let way: HTMLElement[] = []; // what had the focus last, and all around it up to `root`

  const onIn = (event: FocusEvent) => {
    way = [];
    for (let el = event.target as HTMLElement | null; el && el !== root.parentElement; el = el.parentElement) way.push(el);
  };
  const onOut = (event: FocusEvent) => {
    const left = event.target as HTMLElement;
    if (event.relatedTarget) way = [];
    else queueMicrotask(() => isThere(left) && document.activeElement !== left && (way = [])); // the user went elsewhere
  };
  const onDown = (event: PointerEvent) => {
    if (!root.contains(event.target as Node)) way = [];
  };
  const look = () => {
    if (!way.length || document.activeElement !== document.body) return;
    const near = isThere(way[0]!) ? way[0]! : (heir(way) ?? root.querySelector<HTMLElement>(".tw-status"));
    near?.focus({ preventScroll: true });
  };

  const watch = new MutationObserver(look);
  watch.observe(root, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  root.addEventListener("focusin", onIn);
  root.addEventListener("focusout", onOut);
  document.addEventListener("pointerdown", onDown, true);
  return () => {
    watch.disconnect();
    root.removeEventListener("focusin", onIn);
    root.removeEventListener("focusout", onOut);
    document.removeEventListener("pointerdown", onDown, true);
  };
}

function isThere(el: HTMLElement): boolean {
  return el.isConnected && !el.matches(":disabled");
}

/** What takes the place of something that went: what has its name now, else of a field or a name in a list the first thing
 * around it that can, and of others the pane around them. */
function heir(way: HTMLElement[]): HTMLElement | undefined {
  const name = way[0]!.getAttribute("aria-label");
  for (const around of way.slice(1)) {
    if (!around.isConnected) continue;
    const near = [...around.querySelectorAll<HTMLElement>(FOCUSABLE)];
    const found = (name && near.find((el) => el.getAttribute("aria-label") === name)) || (way[0]!.matches("input, select, textarea, .tw-link, .tw-row") ? near[0] : around.tabIndex >= 0 && around);
    if (found) return found;
  }
  return undefined;
}
