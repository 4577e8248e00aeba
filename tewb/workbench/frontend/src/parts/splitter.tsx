/** The bar between two panes: dragged, or moved by arrow keys. The share of the first pane is remembered. */
import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";

interface Props {
  /** The share of the first pane, from 0 to 1. */
  share: Signal<number>;
  direction: "row" | "column";
  label: string;
}

/** Follow the pointer until it is let go. */
export function drag(event: PointerEvent, el: HTMLElement, move: (e: PointerEvent) => void): void {
  event.preventDefault();
  el.setPointerCapture(event.pointerId);
  el.addEventListener("pointermove", move);
  el.addEventListener("lostpointercapture", () => el.removeEventListener("pointermove", move), { once: true });
}

/** A share near an end is the end: that pane is folded away. */
export function snapped(share: number): number {
  return share < 0.06 ? 0 : share > 0.94 ? 1 : share;
}

export function Splitter({ share, direction, label }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const put = (value: number) => (share.value = snapped(value));
  const onDown = (event: PointerEvent) => {
    const box = bar.current!.parentElement!.getBoundingClientRect();
    drag(event, bar.current!, (e) => put(direction === "row" ? (e.clientX - box.left) / box.width : (e.clientY - box.top) / box.height));
  };
  const unfold = () => put(share.value === 0 || share.value === 1 ? 0.5 : share.value > 0.5 ? 1 : 0);
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -0.02, ArrowUp: -0.02, ArrowRight: 0.02, ArrowDown: 0.02 }[event.key];
    if (by) share.value = Math.min(Math.max(share.value + by, 0), 1);
    else if (event.key === "Home" || event.key === "End") put(event.key === "Home" ? 0 : 1);
    else if (event.key === "Enter") unfold();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={bar}
      class={`tw-splitter tw-splitter-${direction}`}
      role="separator"
      aria-label={label}
      aria-orientation={direction === "row" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(share.value * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      tabIndex={0}
      title={`${label}: drag, or arrow keys; double-click or Enter folds the smaller part away and shows it again`}
      onPointerDown={onDown}
      onKeyDown={onKey}
      onDblClick={unfold}
    />
  );
}
