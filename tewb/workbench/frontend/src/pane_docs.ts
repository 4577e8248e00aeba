/** What each pane is for, in a line: its tooltip, its place in the help, and its key (the first has 1, the second 2, ...). */
import { signal } from "@preact/signals";

export const PANE_DOCS: Record<string, readonly [label: string, doc: string]> = {
  actions: ["Do", "what can be done to the chosen loop or stage, and what refused steps need first"],
  journal: ["Journal", "the steps so far: go to one, move, note or delete it; share, branches"],
  advice: ["Advice", "what makes the program slow or large, and the step that helps"],
  why: ["Why", "why a loop runs so often, why memory is taken, why there is a guard"],
  graph: ["Graph", "which stage reads which, and where each is computed"],
  memory: ["Memory", "what each stage keeps, repeats and touches"],
  data: ["Data", "the accesses of the program, played over its memory: lines of the cache, strides, reuse, threads"],
  times: ["Times", "the last measurement, the time after each step, the roofline; sizes to measure with"],
  speed: ["Speed", "why the kernel is as fast as it is: latency, ports, spills, cache misses of its inner loops"],
  tune: ["Tune", "search for other values of the schedule, or for a whole schedule: knobs, the table of trials"],
  threads: ["Threads", "which thread ran which tasks of parallel loops, when, and who waited"],
  llvm: ["LLVM", "what LLVM makes of the code, and what it says of each loop"],
  schedule: ["Schedule", "the schedule as Python, to edit; a share string or JSON can be pasted here"],
};

/** The pane that is to be shown next, whichever tabs it is among. */
export const wantedPane = signal<string | null>(null);
