/** How a buffer is drawn: rows and columns of cells as its memory lies, a cell being an element or some lines. */
import type { DataBuffer } from "./states";

export interface Layout {
  /** Elements in a row of the picture, and in a cell. */
  across: number;
  unit: number;
  columns: number;
  rows: number;
}

const MOST_COLUMNS = 64;
const MOST_CELLS = 4096;

export function layoutOf(b: DataBuffer, line: number): Layout {
  const per = Math.max(Math.floor(line / b.item), 1);
  const steps = b.shape.map((n, d) => [Math.abs(b.strides[d]!), n] as const).filter(([, n]) => n > 1).sort((x, y) => x[0] - y[0]);
  let across = steps[1]?.[0] ?? Math.min(b.elements, 2 * per);
  while (across < per && b.elements > 16 * across) across *= 2; // short rows: several beside each other
  across = Math.max(Math.min(across, b.elements), 1);
  let unit = across > MOST_COLUMNS || b.elements > MOST_CELLS ? Math.min(per, across) : 1;
  while (across / unit > MOST_COLUMNS) unit *= 2;
  return { across, unit, columns: Math.ceil(across / unit), rows: Math.ceil(b.elements / across) };
}

/** The indices of an element; null in a gap between rows. */
export function indexOf(b: DataBuffer, element: number): number[] | null {
  const index = b.shape.map(() => 0);
  const order = b.shape.map((_, d) => d).sort((x, y) => b.strides[y]! - b.strides[x]!);
  for (const d of order) {
    const stride = Math.max(b.strides[d]!, 1);
    index[d] = Math.min(Math.floor(element / stride), b.shape[d]! - 1);
    element -= index[d]! * stride;
  }
  return element === 0 ? index : null;
}

/** Elements as text: "B[0, 3]", "B[0, 0] to [0, 7]". */
export function namesOf(b: DataBuffer, elements: readonly number[]): string {
  const shown = (e: number) => `[${(indexOf(b, e) ?? [e]).join(", ")}]`;
  const [first, last] = [elements[0]!, elements.at(-1)!];
  return b.name + shown(first) + (first === last ? "" : ` to ${shown(last)}`);
}
