// Written by `python -m tewb.workbench.states` from the states that Python sends; do not edit.

/** A stage, its kind (input, compute, extern, hybrid, scan, ...), and the names of its loops. */
export interface StageName {
  name: string;
  kind: string;
  loops: string[];
}

/** What is scheduled. `problem` says why the schedule cannot be lowered as it is, `arguments` describes what the kernel takes, `reference` what it is compared with. `version` counts changes of the schedule. */
export interface Program {
  name: string;
  stages: StageName[];
  arguments: string[];
  reference: string;
  sizes: Record<string, number>;
  problem: string | null;
  version: number;
}

/** An input, a stage or a loop, and in `inside` what runs in it, in that order. `key` names it ("C", "C/i.outer") and stays the same while it exists; `part` is its number in the links of code. `extent` is the loop's where it runs, `trips` how often its body runs in one call, all loops around it counted. Of a stage, `bytes` is the memory that it takes where it is computed and `memory` the same in words (with what it was before it was placed there), `computed` how often each element is computed. None is what is not known, as where sizes are symbolic. `step` made it (from 0). */
export interface LoopNode {
  key: string;
  kind: "input" | "stage" | "inline" | "loop";
  stage: string;
  loop: string | null;
  extent: string;
  trips: number | null;
  axis: string;
  marks: string[];
  place: string;
  bytes: number | null;
  memory: string;
  computed: number | null;
  step: number | null;
  part: number;
  inside: LoopNode[];
}

/** The tree of all stages, in the order of computation. `problem` says why extents are those of whole tensors: the schedule cannot be lowered as it is. */
export interface Loops {
  roots: LoopNode[];
  problem: string | null;
}

/** A form that there is: its name, what the page calls it, what was done to get it, the kind of its text, and whether it is known to be the form before it. */
export interface FormName {
  name: string;
  label: string;
  doc: string;
  kind: string;
  unchanged: boolean;
}

/** What lines are about: a stage, a loop, the steps that shaped them (from 0), and parts (numbers of stages and loops, as the loop tree has them). Those of the loops around are apart. */
export interface Link {
  stage: string | null;
  loop: string | null;
  steps: number[];
  parts: number[];
  steps_around: number[];
  parts_around: number[];
}

/** A form of the program. `text` is all of it. Line i (from 0) is about `links[link_of[i]]`; `remarks` has what is said of some lines, by their numbers, and `sources` the line of low-level IR (from 1) that an instruction computes. Compared with another state, `marks` has what is "added", "removed" or "changed", and `was` what a changed line was; `against` says with what. With a `problem` there is no text. */
export interface Code {
  form: string;
  kind: string;
  text: string;
  link_of: number[];
  links: Link[];
  remarks: Record<string, string>;
  sources: Record<string, number>;
  against: string;
  marks: Record<string, string>;
  was: Record<string, string>;
  problem: string | null;
}

/** A step: its number (from 1), its text, what it is as JSON, a person's own words, whether it was taken back (`ahead`), and its loops in the links of code (`step` there counts from 0). */
export interface StepLine {
  number: number;
  text: string;
  step: Record<string, unknown>;
  name: string;
  note: string;
  ahead: boolean;
  seconds: number | null;
}

/** A branch and the number of its steps. */
export interface Branch {
  name: string;
  steps: number;
  current: boolean;
}

/** All that is known of the way to the schedule. `pinned_at` is the number of steps after which the pinned schedule stands in this journal; it is None where there is no pin, or where it is another schedule, of `pinned_steps` steps. `share` is the journal as one line, `code` as Python that can be edited. */
export interface Journal {
  steps: StepLine[];
  branches: Branch[];
  pinned_at: number | null;
  pinned_steps: number | null;
  can_undo: boolean;
  can_redo: boolean;
  share: string;
  code: string;
}

/** The cost of a stage or loop in one call of the kernel: iterations of its body, operations on elements, bytes loaded and stored, calls of foreign code. `part` is its number in the links of code, `key` its name in the tree. */
export interface CostLine {
  key: string;
  part: number;
  iterations: number;
  operations: number;
  loaded: number;
  stored: number;
  calls: number;
}

/** All costs; of loops that stand in each other the outer ones include the inner ones. */
export interface Costs {
  lines: CostLine[];
  problem: string | null;
}

/** What a step leads to: the loops of the stages that change, and the figures that change, in words. */
export interface Preview {
  loops: string[];
  changes: string[];
}

/** A step that may be legal now. A refused one says why (`reason`, `hint`); `steps` are what a press does: the step itself, or for a refused one the steps that end in what was wanted. They are empty when nothing helps. */
export interface Choice {
  text: string;
  primitive: string;
  legal: boolean;
  is_place: boolean;
  steps: Record<string, unknown>[];
  steps_text: string;
  reason: string;
  hint: string;
  preview: Preview | null;
}

/** The palette of a stage and one of its loops. */
export interface Actions {
  stage: string;
  loop: string | null;
  choices: Choice[];
}

/** A parameter of a primitive: what it takes (`kind`, as `tewb.schedule.Param` names kinds), what may be chosen, and what it is when nothing is said. `places` are the loops of each stage that may be chosen as parent. */
export interface FormField {
  name: string;
  kind: string;
  doc: string;
  required: boolean;
  value: string;
  choices: string[];
  places: Record<string, string[]>;
}

/** A primitive as a form: what it does, and its parameters. */
export interface PrimitiveForm {
  name: string;
  doc: string;
  fields: FormField[];
}

/** One stage: bytes that its readers touch (`needed`), that are kept (`allocated`), and of the whole tensor, each as a number where it is known and in words; how often an element is computed, calls of packed functions, the cache that holds it. */
export interface Account {
  stage: string;
  kind: string;
  needed: string;
  allocated: string;
  allocated_bytes: number | null;
  declared: string;
  scope: string;
  lifetime: string;
  computed: number | null;
  calls: number | null;
  cache: string | null;
  step: number | null;
  part: number;
}

/** Memory in the lowered code: `bytes` is None where the size is symbolic. */
export interface Allocation {
  name: string;
  stage: string | null;
  dtype: string;
  scope: string;
  shape: string;
  bytes: number | null;
  step: number | null;
}

/** A tensor that an extern touches: its shape, and the box of one call; where sizes are constant, those and the boxes of the first calls as (first, extent) for each dimension, one after another. */
export interface TouchedTensor {
  tensor: string;
  writes: boolean;
  shape: string[];
  strides: string[];
  box: string[];
  sizes: number[] | null;
  tiles: number[][];
}

/** What the calls of an extern touch, and whether they may be repeated (`effect`). */
export interface ExternTouches {
  stage: string;
  effect: string;
  calls: number | null;
  touched: TouchedTensor[];
  step: number | null;
}

/** A line of the budget that `session.expect` keeps: its text, whether it holds (None: not known), and the value. */
export interface BudgetLine {
  text: string;
  holds: boolean | null;
  value: number | null;
}

/** All memory of the program. `peak` is the most that intermediates take at once, in bytes. */
export interface Memory {
  accounts: Account[];
  allocations: Allocation[];
  peak: number | null;
  externs: ExternTouches[];
  budget: BudgetLine[];
  problem: string | null;
}

/** A stage or an input, with lines of text as they are drawn. */
export interface GraphNode {
  stage: string;
  lines: string[];
  is_input: boolean;
  part: number;
}

/** From a stage to one that reads it; or, with the name of a loop in `at`, to the stage in which it is computed. */
export interface GraphEdge {
  source: string;
  target: string;
  at: string;
}

/** The graph. `svg` is None where nothing can draw it; then `text` is shown. In the drawing, node i has the id `node-i` and edge i `edge-i`. */
export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  svg: string | null;
  text: string;
}

/** A measured prefix of the journal: its number of steps, the last of them, and what was measured. */
export interface Moment {
  steps: number;
  label: string;
  ok: boolean;
  message: string;
  median: number | null;
  spread: number | null;
  reference: number | null;
}

/** A point in the roofline: operations per byte, GFLOP/s. */
export interface RoofPoint {
  label: string;
  intensity: number;
  gflops: number;
}

/** The roofline of this machine, and the points of the history, oldest first. */
export interface Roof {
  gflops: number;
  gbytes: number;
  dtype: string;
  threads: number;
  points: RoofPoint[];
  numpy: RoofPoint | null;
  cold: RoofPoint | null;
  note: string;
}

/** A piece of advice: its kind, where it is, what was found, and the steps that answer it. */
export interface Finding {
  kind: string;
  stage: string;
  loop: string | null;
  message: string;
  steps: Record<string, unknown>[];
  steps_text: string;
}

/** All findings; `problem` says why there can be none. */
export interface AdviceList {
  findings: Finding[];
  problem: string | null;
}

/** A question, the sentences that lead to its answer, and the answer. */
export interface Reasons {
  question: string;
  sentences: string[];
  answer: string;
}

/** What LLVM says of a loop: "loop not vectorized: ...". `part` is the number of the loop (of the stage, where the line is in no loop) in the links of code; without a line it speaks of the whole function, and has none. */
export interface LoopRemark {
  text: string;
  stage: string | null;
  loop: string | null;
  part: number | null;
}

/** The passes, each a form of the code that can be shown by its name, and the remarks, each once, those of loops first. */
export interface LLVMHalf {
  passes: FormName[];
  remarks: LoopRemark[];
  problem: string | null;
}

/** The whole program as Python, or a comment that says why there is none. */
export interface ProgramCode {
  text: string;
}

/** One that took part: what the check of its result said, and its times in seconds (None: none, as when the result was wrong), GFLOP/s and GB/s. `spread` is that of the median. */
export interface Contestant {
  name: string;
  ok: boolean;
  check: string;
  median: number | null;
  spread: number | null;
  cold: number | null;
  gflops: number | null;
  gbytes: number | null;
}

/** A measurement. `ratio` is numpy's median over the kernel's; `note` says of which schedule it is. */
export interface Measured {
  contestants: Contestant[];
  ratio: number | null;
  pinned_ratio: number | null;
  threads: string;
  sizes: string;
  steps: number;
  text: string;
}

/** What is known of the results. `proved` says whether the steps themselves prove that results stay the same, `rounds` whether only up to the rounding of sums, `proof` why. `test` is what a run on small sizes found ("unknown": it was not done), `found` in words, and `step` (from 0) the one that changed a result. */
export interface Checked {
  proved: boolean;
  rounds: boolean;
  proof: string;
  test: "running" | "same" | "different" | "unknown";
  found: string;
  step: number | null;
}
