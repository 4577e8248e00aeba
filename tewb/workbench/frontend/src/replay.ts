/** The accesses of a program in order, and what a cache for each thread makes of them: any moment can be gone to. */
import type { Data } from "./states";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUE = new Map([...DIGITS].map((c, i) => [c, i]));

/** The numbers of a text, as `states/data.py` writes them. */
export function numbers(text: string): number[] {
  const found: number[] = [];
  let [sum, scale] = [0, 1];
  for (const c of text) {
    const digit = VALUE.get(c)!;
    sum += (digit & 31) * scale;
    scale *= 32;
    if (digit & 32) continue;
    found.push(sum % 2 ? -(sum - 1) / 2 : sum / 2);
    [sum, scale] = [0, 1];
  }
  return found;
}

export interface Access {
  site: number;
  /** Its first element. */
  at: number;
  /** The values of the loops around, outermost first. */
  values: number[];
}

export function accessesOf(data: Data): Access[] {
  const stream = numbers(data.events);
  const places = data.sites.map(() => 0);
  const last = data.loops.map(() => 0);
  const found: Access[] = [];
  let [site, values, next]: [number, number[], number] = [0, [], 0];
  for (let n = 0; n < data.count; n++) {
    site += stream[next++]!;
    const at = (places[site]! += stream[next++]!);
    values = values.slice(0, stream[next++]!);
    for (const loop of data.sites[site]!.loops.slice(values.length)) values.push((last[loop]! += stream[next++]!));
    found.push({ site, at, values });
  }
  return found;
}

/** The task of the outermost parallel loop that makes an access; -1 outside of such loops. */
export function taskOf(data: Data, { site, values }: Access): number {
  const depth = data.sites[site]!.loops.findIndex((loop) => data.loops[loop]!.parallel);
  return depth < 0 ? -1 : values[depth]!;
}

interface Tally {
  /** By element: when it was touched last, counted from 1; negative when it was written. */
  last: Map<number, number>;
  /** By element: the task that touched it last. */
  tasks: Map<number, number>;
  fetched: number;
  reused: number;
  lost: number;
}

/** What an access did to lines of the cache, each with the number of its buffer. */
interface Step {
  fetched: number[];
  reused: number[];
  lost: [buffer: number, line: number][];
}

const LINES = 2 ** 40; // more than any buffer has: a line of buffer b is b * LINES + its number

export class Replay {
  readonly accesses: Access[];
  /** The access that was done last, -1 before the first. */
  time = -1;
  tallies: Tally[] = [];
  step: Step = { fetched: [], reused: [], lost: [] };
  private caches: Set<number>[] = [];
  private readonly lanes: number[][];

  constructor(readonly data: Data, readonly lines: number) {
    this.accesses = accessesOf(data);
    this.lanes = data.sites.map((s) => {
      let at = 0;
      return [0, ...numbers(s.lanes).map((n) => (at += n))];
    });
    this.restart();
  }

  private restart(): void {
    this.time = -1;
    this.tallies = this.data.buffers.map(() => ({ last: new Map(), tasks: new Map(), fetched: 0, reused: 0, lost: 0 }));
    this.caches = Array.from({ length: this.data.threads }, () => new Set());
  }

  /** Do all accesses up to one, and no more. */
  goto(time: number): void {
    if (time < this.time) this.restart();
    while (this.time < Math.min(time, this.accesses.length - 1)) this.forward();
  }

  elements({ site, at }: Access): number[] {
    return this.lanes[site]!.map((n) => at + n);
  }

  /** Whether some cache has a line now. */
  holds(buffer: number, line: number): boolean {
    return this.caches.some((cache) => cache.has(buffer * LINES + line));
  }

  perLine(buffer: number): number {
    return Math.max(Math.floor(this.data.cache.line / this.data.buffers[buffer]!.item), 1);
  }

  private thread(access: Access, task: number): number {
    if (task < 0) return 0;
    const loop = this.data.sites[access.site]!.loops.find((l) => this.data.loops[l]!.parallel)!;
    const { threads } = this.data;
    return Math.min(Math.floor((task * threads) / Math.max(this.data.loops[loop]!.extent, 1)), threads - 1);
  }

  private forward(): void {
    const access = this.accesses[++this.time]!;
    const { buffer, writes } = this.data.sites[access.site]!;
    const tally = this.tallies[buffer]!;
    const task = taskOf(this.data, access);
    const cache = this.caches[this.thread(access, task)]!;
    const per = this.perLine(buffer);
    const lines = new Set<number>();
    for (const e of this.elements(access)) {
      tally.last.set(e, writes ? -this.time - 1 : this.time + 1);
      tally.tasks.set(e, task);
      lines.add(Math.floor(e / per));
    }
    this.step = { fetched: [], reused: [], lost: [] };
    for (const line of lines) {
      const key = buffer * LINES + line;
      const isThere = cache.delete(key);
      cache.add(key);
      tally[isThere ? "reused" : "fetched"]++;
      this.step[isThere ? "reused" : "fetched"].push(line);
      if (cache.size <= this.lines) continue;
      const gone = cache.values().next().value!;
      cache.delete(gone);
      const from = Math.floor(gone / LINES);
      this.tallies[from]!.lost++;
      this.step.lost.push([from, gone % LINES]);
    }
  }
}
