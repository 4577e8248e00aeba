/** The bar between two panes: dragged, or moved by arrow keys. The share of the first pane is remembered. */
import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";

interface Props {
  /** The share of the first pane, from 0 to 1. */
  share: Signal<number>;
  direction: "row" | "column";
  label: string;
}

export function Splitter({ share, direction, label }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const put = (value: number) => (share.value = Math.min(Math.max(value, 0.1), 0.9));
  const onDown = (event: PointerEvent) => {
    event.preventDefault();
    const el = bar.current!;
    el.setPointerCapture(event.pointerId);
    const box = el.parentElement!.getBoundingClientRect();
    const move = (e: PointerEvent) =>
      put(direction === "row" ? (e.clientX - box.left) / box.width : (e.clientY - box.top) / box.height);
    const up = () => {
      el.removeEventListener("pointermove", move);
      el.removeEventListener("pointerup", up);
    };
    el.addEventListener("pointermove", move);
    el.addEventListener("pointerup", up);
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -0.02, ArrowUp: -0.02, ArrowRight: 0.02, ArrowDown: 0.02 }[event.key];
    if (!by) return;
    event.preventDefault();
    put(share.value + by);
  };
  return (
    <div
      ref={bar}
      class={`tw-splitter tw-splitter-${direction}`}
      role="separator"
      aria-label={label}
      aria-orientation={direction === "row" ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(share.value * 100)}
      aria-valuemin={10}
      aria-valuemax={90}
      tabIndex={0}
      onPointerDown={onDown}
      onKeyDown={onKey}
      onDblClick={() => put(0.5)}
    />
  );
}
