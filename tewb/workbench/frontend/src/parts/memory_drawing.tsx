/** One buffer as its memory lies: what is touched now and was before, and the lines that a cache holds. */
import { useEffect, useRef } from "preact/hooks";
import { indexOf, type Layout } from "../data_layout";
import type { Replay } from "../replay";

interface Props {
  replay: Replay;
  buffer: number;
  layout: Layout;
  time: number;
  byTask: boolean;
  label: string;
}

const ROWS = 32; // of a page: a larger buffer shows the page where something happens
const WIDTH = 400; // pixels

export function MemoryDrawing({ replay, buffer, layout, time, byTask, label }: Props) {
  const place = useRef<HTMLCanvasElement>(null);
  const page = useRef(0);
  const size = Math.max(Math.min(Math.floor(WIDTH / layout.columns), 11), 4);
  const rows = Math.min(layout.rows, ROWS);
  useEffect(() => {
    const access = replay.accesses[time];
    if (access && replay.data.sites[access.site]!.buffer === buffer) page.current = Math.floor(access.at / layout.across / ROWS) * ROWS;
    draw(place.current!, replay, buffer, layout, page.current, rows, size, byTask);
  });
  const [width, height] = [layout.columns * size + 2, rows * size + 2];
  return (
    <canvas ref={place} role="img" aria-label={label} style={{ width: `${width}px`, height: `${height}px` }}>
      {label}
    </canvas>
  );
}

function draw(canvas: HTMLCanvasElement, replay: Replay, buffer: number, layout: Layout, top: number, rows: number, size: number, byTask: boolean): void {
  const scale = window.devicePixelRatio || 1;
  const b = replay.data.buffers[buffer]!;
  const { across, unit, columns } = layout;
  canvas.width = (columns * size + 2) * scale;
  canvas.height = (rows * size + 2) * scale;
  const c = canvas.getContext("2d")!;
  c.scale(scale, scale);
  c.translate(1, 1);
  const style = getComputedStyle(canvas);
  const [ink, read, write] = [style.color, style.getPropertyValue("--tw-accent"), style.getPropertyValue("--tw-hot")];
  const { last, tasks } = replay.tallies[buffer]!;
  const per = replay.perLine(buffer);
  const { time, step } = replay;
  const access = replay.accesses[time];
  const site = access && replay.data.sites[access.site]!;
  const fill = (colour: string, alpha: number) => {
    c.fillStyle = colour;
    c.globalAlpha = alpha;
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = (top + row) * across + column * unit;
      const end = Math.min(first + unit, (top + row + 1) * across, b.elements);
      const [x, y] = [column * size, row * size];
      if (first >= end || (unit === 1 && !indexOf(b, first))) continue; // a gap
      if (replay.holds(buffer, Math.floor(first / per))) {
        fill(read, 0.16);
        c.fillRect(x, y, size, size);
      }
      let newest = 0;
      let task = -1;
      for (let e = first; e < end; e++) {
        const then = last.get(e) ?? 0;
        if (Math.abs(then) > Math.abs(newest)) {
          newest = then;
          task = tasks.get(e) ?? -1;
        }
      }
      fill(ink, 0.16);
      c.fillRect(x, y + size - 1, size, 1);
      c.fillRect(x + size - 1, y, (first + unit) % per ? 1 : 2, size);
      if (!newest) continue;
      const age = time + 1 - Math.abs(newest);
      if (byTask && task >= 0 && size > 8) {
        fill(ink, age ? 0.75 : 1);
        c.font = `${size - 2}px sans-serif`;
        c.fillText(String((task + 1) % 100), x + 1, y + size - 3, size - 2);
        continue;
      }
      fill(newest < 0 ? write : read, age < 1 ? 1 : age < 9 ? 0.7 : age < 65 ? 0.5 : 0.3);
      if (newest < 0) c.fillRect(x + 2, y + 2, size - 4, size - 4);
      else {
        c.beginPath();
        c.arc(x + size / 2, y + size / 2, Math.max(size / 2 - 2, 1), 0, 7);
        c.fill();
      }
    }
  }
  // Lines of the cache: dashed when fetched now, drawn through when used again, crossed when lost.
  c.globalAlpha = 1;
  c.strokeStyle = ink;
  const outline = (line: number, dash: number[], cross: boolean) => {
    const from = line * per;
    const row = Math.floor(from / across) - top;
    const column = Math.floor((from % across) / unit);
    const length = Math.max(Math.ceil(Math.min(per, across - (from % across)) / unit), 1);
    if (row < 0 || row >= rows) return;
    c.setLineDash(dash);
    const [x, y, w] = [column * size + 0.5, row * size + 0.5, length * size - 1];
    c.strokeRect(x, y, w, size - 1);
    if (!cross) return;
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x + w, y + size - 1);
    c.moveTo(x, y + size - 1);
    c.lineTo(x + w, y);
    c.stroke();
  };
  if (site?.buffer === buffer) {
    c.lineWidth = 1.5;
    for (const line of step.fetched) outline(line, [3, 2], false);
    for (const line of step.reused) outline(line, [], false);
  }
  c.lineWidth = 1;
  for (const [of, line] of step.lost) if (of === buffer) outline(line, [], true);
}
