/** The loop tree as rows, and the questions that gestures ask of it. */
import type { LoopNode } from "./states";

export interface Row {
  node: LoopNode;
  /** Its place among the loops of its stage, outermost first: a step that renames a loop lets its row be. */
  slot: string;
  depth: number;
  parent: string | null;
  isFolded: boolean;
  isOpen: boolean;
}

/** The rows that are seen: all but what is inside of something folded. */
export function flatten(roots: readonly LoopNode[], folded: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const loops = new Map<string, number>();
  const visit = (node: LoopNode, depth: number, parent: string | null): void => {
    const isFolded = folded.has(node.key);
    const nth = loops.get(node.stage) ?? 0;
    if (node.kind === "loop") loops.set(node.stage, nth + 1);
    rows.push({ node, slot: node.kind === "loop" ? `${node.stage}/${nth}` : node.key, depth, parent, isFolded, isOpen: node.inside.length > 0 && !isFolded });
    if (!isFolded) for (const inner of node.inside) visit(inner, depth + 1, node.key);
  };
  for (const root of roots) visit(root, 0, null);
  return rows;
}

/** The loops of a stage, outermost first. */
export function loopsOf(rows: readonly Row[], stage: string): string[] {
  return rows.filter((r) => r.node.kind === "loop" && r.node.stage === stage).map((r) => r.node.loop!);
}

/** The loop that is `by` places further in. */
export function neighbour(loops: readonly string[], loop: string, by: number): string | undefined {
  const at = loops.indexOf(loop);
  return at < 0 ? undefined : loops[at + by];
}

/** The loops between two in a new order: `loop` stands where `target` stood. */
export function moved(loops: readonly string[], loop: string, target: string): string[] {
  const names = [...loops];
  const [from, to] = [names.indexOf(loop), names.indexOf(target)];
  names.splice(to, 0, ...names.splice(from, 1));
  return names.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/** Whether the node with `key` is inside of `node`. */
export function isInside(node: LoopNode, key: string): boolean {
  return node.inside.some((n) => n.key === key || isInside(n, key));
}
