// Written by `python -m tewb.workbench.states` from the states that Python sends; do not edit.

/** A stage, its kind (input, compute, extern, hybrid, scan, ...), and the names of its loops. `short` is its name, cut where it is long so that it still is told from the others. */
export interface StageName {
  name: string;
  short: string;
  kind: string;
  loops: string[];
}

/** What is scheduled. `problem` says why the schedule cannot be lowered as it is, `arguments` describes what the kernel takes, `reference` what it is compared with. `sizes` are the values that Measure gives to symbolic sizes and scalars, by their names. `version` counts changes of the schedule. */
export interface Program {
  name: string;
  stages: StageName[];
  arguments: string[];
  reference: string;
  sizes: Record<string, number>;
  problem: string | null;
  version: number;
}

/** An input, the state of a scan, a stage or a loop, and in `inside` what runs in it, in that order. `key` names it ("C", "C/i.outer") and stays the same while it exists; `part` is its number in the links of code. `extent` is the loop's where it runs, `trips` how often its body runs in one call, all loops around it counted. Of a stage, `bytes` is the memory that it takes where it is computed and `memory` the same in words (with what it was before it was placed there), `computed` how often each element is computed. None is what is not known, as where sizes are symbolic. `step` made it (from 0). */
export interface LoopNode {
  key: string;
  kind: "input" | "state" | "stage" | "inline" | "loop";
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

/** A step: its number (from 1), its text, what it is as JSON, a person's own words, whether it was taken back (`ahead`), its loops in the links of code (`step` there counts from 0), and the line of the user's program. */
export interface StepLine {
  number: number;
  text: string;
  step: Record<string, unknown>;
  name: string;
  note: string;
  ahead: boolean;
  seconds: number | null;
  where: string;
}

/** A parameter of a primitive or a recipe: what it takes (`kind`, as `tewb.schedule.Param` names kinds), what may be chosen, and what it is when nothing is said: `unsaid`, where that is another choice. `places` are the loops of each stage that may be chosen as parent; what is `rare` few people want. */
export interface FormField {
  name: string;
  kind: string;
  doc: string;
  required: boolean;
  value: string;
  choices: string[];
  places: Record<string, string[]>;
  rare: boolean;
  unsaid: string;
}

/** A call of a recipe: it made `count` steps from number `first` on, and `depth` other calls are around it. `state` is "same" while it makes just these steps, "changed" when some of them were edited, and "unknown" where only its steps are known. `fields` are its parameters with what it was given; `where` is the line that called it. */
export interface RecipeLine {
  first: number;
  count: number;
  depth: number;
  name: string;
  text: string;
  state: string;
  fields: FormField[];
  where: string;
}

/** A branch and the number of its steps. */
export interface Branch {
  name: string;
  steps: number;
  current: boolean;
}

/** All that is known of the way to the schedule. `pinned_at` is the number of steps after which the pinned schedule stands in this journal; it is None where there is no pin, or where it is another schedule, of `pinned_steps` steps. `recipes` are the calls that made some of the steps, each before those inside of it. `share` is the journal as one line, `code` as Python that can be edited. */
export interface Journal {
  steps: StepLine[];
  recipes: RecipeLine[];
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

/** The seconds of a stage or loop in one call of the kernel, with all that runs in it; `own` are those in which nothing runs that is inside of it and timed. `known` says what they are: its own ("timed"), those of what is around it and does nothing else ("around"), those of some of its pieces ("some"), or nobody knows ("not"); they are `most` at most. `tasks` are those of all iterations of a parallel loop together. `part` is its number in the links of code, `key` its name in the tree. `entries` is how often it began. */
export interface LoopTimeLine {
  key: string;
  part: number;
  seconds: number | null;
  own: number | null;
  entries: number;
  tasks: number | null;
  known: "timed" | "around" | "some" | "not";
  most: number;
}

/** The times that were measured last. `steps` is how many steps the schedule had that was measured, None before the first measurement; `stale` says that it, or the sizes, are others by now. `whole` are the seconds of the kernel, `slowdown` says how much longer it takes with timers (0.05 is 5 %), and `said` all of this in words. */
export interface LoopTimesState {
  lines: LoopTimeLine[];
  whole: number | null;
  slowdown: number | null;
  steps: number | null;
  stale: boolean;
  said: string;
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

/** A primitive, or a recipe, as a form for a stage: what it does, and its parameters. */
export interface PrimitiveForm {
  name: string;
  stage: string;
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

/** The roofline of this machine, and the points of the history, oldest first. `words` explains the words of the field that stand with it. */
export interface Roof {
  gflops: number;
  gbytes: number;
  dtype: string;
  threads: number;
  points: RoofPoint[];
  numpy: RoofPoint | null;
  cold: RoofPoint | null;
  note: string;
  words: Record<string, string>;
}

/** A value of the journal that can be a knob: its name in a space ("2.factor"), the number of its step, its parameter, what it is called, its kind ("factor", "order", "choice" or "flag"), what it is now, and, where it is a knob, its candidates in words. */
export interface KnobLine {
  name: string;
  step: number;
  param: string;
  text: string;
  kind: string;
  now: string;
  values: string;
  pressed: boolean;
}

/** All values of the journal that can be knobs, in its order. `points` is how many ways the knobs can stand; `can_tune` says whether there can be a search over them, and `text` why not, or what it would be. */
export interface Knobs {
  lines: KnobLine[];
  points: number;
  can_tune: boolean;
  text: string;
}

/** What was turned: its name in a space, what it is called, and how much of the spread of times it explains (0 to 1). */
export interface TrialColumn {
  name: string;
  text: string;
  importance: number | null;
}

/** A trial: its state ("ok", "slow", "same", "refused", "over budget", "wrong", "hung", "killed", "failed", "predicted"), in `text` in words, with "best" and "mine" (the schedule of the session) where it is that. `seconds` and `spread` are of a call that was timed to the end, `time` says them, or why there are none; `times` is how many times as fast as mine it is, where both were timed. `twin` is the trial whose text it has. `values` stand under the columns. */
export interface TrialLine {
  number: number;
  state: string;
  text: string;
  seconds: number | null;
  spread: number | null;
  time: string;
  times: number | null;
  twin: number | null;
  values: string[];
  pinned: boolean;
}

/** A trial that was faster than all before it. */
export interface Lead {
  number: number;
  seconds: number;
}

/** A step that only one of two journals has: sign "-" is one of mine, "+" one of the other. */
export interface StepChange {
  sign: string;
  text: string;
}

/** A trial, the best or one that is pinned, beside the schedule of the session: how many times as fast it is, in words, and the steps that are different. */
export interface Compared {
  number: number;
  is_best: boolean;
  text: string;
  changes: StepChange[];
}

/** The last search: `kind` is "knobs", "autoschedule", or "" where there was none. `rows` are its trials, `left_out` how many more there are; `leads` is how the best time fell, in words `fall`; `compared` has the best and what is pinned beside the schedule of the session. `text` says all in a line, with the sizes that it was timed with. */
export interface Trials {
  kind: string;
  text: string;
  fall: string;
  columns: TrialColumn[];
  rows: TrialLine[];
  left_out: number;
  leads: Lead[];
  compared: Compared[];
}

/** A step that makes a loop parallel: its iterations, where they are known, and how often it would begin. */
export interface ParallelChoice {
  text: string;
  steps: Record<string, unknown>[];
  iterations: number | null;
  runs: number | null;
}

/** A thread: 0 is the one that calls. Seconds in which it was `busy` (thread 0 also between parallel loops) and `idle`; the tasks that it ran, and what they took from the heap. */
export interface ThreadRow {
  number: number;
  busy: number;
  idle: number;
  tasks: number;
  bytes: number;
  allocations: number;
}

/** An intermediate that each iteration of a parallel loop has for itself: bytes of one, and how often it is taken in an iteration; None where that is not known before the kernel runs. */
export interface TaskMemory {
  buffer: string;
  bytes: number | null;
  times: number | null;
  where: "heap" | "stack" | "registers";
}

/** A parallel loop in one call: begun `runs` times, its iterations and the tasks that they were shared in, of `smallest` to `largest` iterations and `shortest` to `longest` seconds; `waited` is what each thread waited at its end. `part` is its number in the links of code, `depth` how many parallel loops are around it. `memory` is what an iteration has for itself, `bytes` and `allocations` what all tasks took from the heap. `text` is all of it in words. */
export interface ParallelLoop {
  name: string;
  stage: string | null;
  loop: string | null;
  part: number | null;
  depth: number;
  runs: number;
  iterations: number;
  tasks: number;
  smallest: number;
  largest: number;
  shortest: number;
  mean: number;
  longest: number;
  seconds: number;
  waited: number[];
  bytes: number;
  allocations: number;
  memory: TaskMemory[];
  text: string;
}

/** From the begin of a parallel loop to its end, or of `runs` that follow each other closely, of several loops when `loop` is None. */
export interface LoopSpan {
  loop: number | null;
  begin: number;
  end: number;
  runs: number;
}

/** A bar of the timeline: `tasks` of one loop (by its number; of several when None) on one thread, from `begin` to `end`, in seconds since the call began, of which it was `busy`. They have `iterations`, between `first` and `last`; `depth` parallel loops are around this one. What they took from the heap is `bytes`, in so many `allocations`. */
export interface ThreadBar {
  thread: number;
  loop: number | null;
  depth: number;
  begin: number;
  end: number;
  busy: number;
  first: number;
  last: number;
  iterations: number;
  tasks: number;
  bytes: number;
  allocations: number;
}

/** One call of a kernel in seconds since it began. `sentence` says how busy the threads were, `reasons` why they were not. `share` is busy time of all time, `imbalance` the busiest thread over the mean, `serial` the time without a parallel loop, `plain` the time of a call that is not traced. `others` are threads without a row, `dropped` tasks without a bar. It is of the schedule after `steps` steps, and current while that is the schedule and the sizes are the same. */
export interface ThreadTimeline {
  sentence: string;
  reasons: string[];
  seconds: number;
  plain: number;
  serial: number;
  share: number;
  imbalance: number;
  rows: ThreadRow[];
  others: number;
  loops: ParallelLoop[];
  spans: LoopSpan[];
  bars: ThreadBar[];
  dropped: number;
  steps: number;
  is_current: boolean;
}

/** The threads of a session's kernel: how many there are for the processors that this process may use; what was measured last. Where no loop is parallel, `note` says what one would be, and `choices` are the loops that may be. */
export interface Threads {
  threads: number;
  processors: number;
  is_parallel: boolean;
  note: string;
  choices: ParallelChoice[];
  measured: ThreadTimeline | null;
  problem: string | null;
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

/** Something to try: its kind, the stage, the reason, the steps, how many times as fast the program is predicted to be after them (with the times behind it, in words), and `others`: the same with other factors, which are timed beside them. */
export interface Proposal {
  kind: string;
  stage: string;
  reason: string;
  steps: Record<string, unknown>[];
  steps_text: string;
  gain: number;
  predicted: string;
  others: Record<string, unknown>[][];
}

/** All findings, and what to try next; `standing` says how near the program is to the roof of the machine and what bounds it, and `share` how much of it it reaches (None: that cannot be said). `tried` are the steps that did not help, in words. `words` explains the words of the field that are in it, `problem` says why there can be none. */
export interface AdviceList {
  findings: Finding[];
  problem: string | null;
  standing: string;
  share: number | null;
  next: Proposal[];
  tried: string[];
  words: Record<string, string>;
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

/** A lower bound of the cycles of an iteration: which, how many, and where they come from. */
export interface Limit {
  name: string;
  cycles: number;
  about: string;
}

/** Lines of 64 bytes of a buffer that a loop fetches past each cache in a call, as they are predicted. */
export interface LinesFetched {
  buffer: string;
  misses: Record<string, number>;
  in_order: boolean;
  crowded: string;
}

/** An innermost loop of the machine code, or, where `once`, all of a kernel that has none, as if it were a loop of one iteration. All counts and cycles are those of one iteration, which does `steps` of the loop of the program; `iterations` are those of a call, `share` its part of the cycles of all inner loops. `part` is its number in the links of code. `bits` is the width of its arithmetic, `lanes` how many numbers that is; `kinds` counts its instructions by what they do. `rule` names the limit that is the largest. `ports` are cycles of each port, told by `ports_by`; `simulated` are the cycles that llvm-mca says. */
export interface InnerLoopSpeed {
  name: string;
  stage: string | null;
  loop: string | null;
  part: number | null;
  label: string;
  share: number;
  iterations: number;
  steps: number;
  cycles: number;
  rule: string;
  limits: Limit[];
  instructions: number;
  kinds: Record<string, number>;
  bits: number;
  lanes: number;
  loads: number;
  stores: number;
  spills: number;
  calls: string[];
  ports: Record<string, number>;
  ports_by: string;
  simulated: number | null;
  simulated_by: string;
  lines: LinesFetched[];
  once: boolean;
}

/** The seconds of a stage or loop in a call with all that runs in it, as they are predicted: those of its inner loops. `part` is its number in the links of code, `key` its name in the tree. Loops that the machine code has not got, as those in vectors, have none. */
export interface PredictedTime {
  key: string;
  part: number;
  seconds: number;
}

/** The sentence, the verdict (what bounds the program, as Advice and Data say it too), what else is to be said, and the inner loops, those that take the most time first. Times are seconds of a call: `predicted` by the limits, `measured` last; `times` are predicted for stages and loops. `gflops` is what is predicted, `roof` what the machine allows at most, at `intensity` operations for each byte, below its `peak_gflops` and `peak_gbytes`. `words` explains the words of the field that are in it. */
export interface WhyThisFast {
  sentence: string;
  verdict: string;
  notes: string[];
  loops: InnerLoopSpeed[];
  times: PredictedTime[];
  predicted: number | null;
  measured: number | null;
  processor: string;
  gigahertz: number | null;
  caches: Record<string, number>;
  intensity: number | null;
  gflops: number | null;
  roof: number | null;
  peak_gflops: number | null;
  peak_gbytes: number | null;
  words: Record<string, string>;
  problem: string | null;
}

/** Memory that is touched: "input", "output" or "inside" (an intermediate). `strides` are in elements of `item` bytes; `elements` are those from the first to the last, gaps included. `part` is the number of its stage in the links of code, `use` what a cache makes of its accesses, as a sentence. */
export interface DataBuffer {
  name: string;
  kind: string;
  dtype: string;
  shape: number[];
  strides: number[];
  item: number;
  elements: number;
  part: number;
  use: string;
}

/** A loop of the lowered code; `key` is its row in the loop tree. The iterations of a parallel loop are tasks. */
export interface DataLoop {
  name: string;
  key: string | null;
  extent: number;
  parallel: boolean;
}

/** A place in the code that makes accesses: of which buffer (by number), in which loops, at which line of the lowered code (from 0). `lanes` are the elements of one access after the first, each less the one before, as text. */
export interface DataSite {
  buffer: number;
  writes: boolean;
  loops: number[];
  line: number | null;
  lanes: string;
}

/** The cache that is simulated: lines of `line` bytes. For a twin with smaller sizes it has fewer `lines` than the cache of this machine that it stands for. */
export interface DataCache {
  name: string;
  bytes: number;
  line: number;
  lines: number;
}

/** The accesses of a program. `said` is what is to be known of the sizes and the limit, `basis` what the sentences of buffers are about, `bound` whether traffic is what bounds the program, as Speed says it; `form` is the form of code that has the lines. `threads` share the tasks of parallel loops. */
export interface Data {
  buffers: DataBuffer[];
  loops: DataLoop[];
  sites: DataSite[];
  count: number;
  events: string;
  complete: boolean;
  said: string;
  basis: string;
  bound: string;
  cache: DataCache;
  threads: number;
  form: string;
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

/** A measurement, of the schedule after `steps` steps. `ratio` is numpy's median over the kernel's; `stale` says that the schedule or the sizes are others by now, `doubtful` that the times vary a lot, as on a busy machine. */
export interface Measured {
  contestants: Contestant[];
  ratio: number | null;
  pinned_ratio: number | null;
  threads: string;
  sizes: string;
  steps: number;
  text: string;
  stale: boolean;
  doubtful: boolean;
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

/** A schedule that was tried: what is different in it, its median and the spread in seconds, and how many times as fast as the schedule that the sweep began with it is (None: its result was wrong, or it could not be timed, as `message` says). `steps` is its journal, with the recipes that made some of its steps. */
export interface TrialRow {
  label: string;
  seconds: number | null;
  spread: number | null;
  gain: number | null;
  message: string;
  steps: Record<string, unknown>[];
}

/** The trials of a sweep, the fastest first. `is_current` says whether the schedule and the sizes are still those that it began with. */
export interface Swept {
  rows: TrialRow[];
  text: string;
  left_out: number;
  complete: boolean;
  is_current: boolean;
}

/** How the state `Data` stands to the schedule: whether it is of it as it is now, whether it is being made, and whether that would run Python code of the user's, which is done only when it is asked for. */
export interface Traced {
  fresh: boolean;
  running: boolean;
  runs_python: boolean;
}
