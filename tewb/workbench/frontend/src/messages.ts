/** What is said between the page and Python, beside the states (which `states.ts` declares). */
import type { Selection } from "./desk";
import type { Patch } from "./patches";
import type { Actions, AdviceList, Checked, Choice, Code, Costs, Data, FormName, Graph, Journal, Knobs, LLVMHalf, Loops, LoopTimesState, Measured, Memory, Moment, PrimitiveForm, Program, ProgramCode, Reasons, Roof, Swept, Threads, Traced, Trials, WhyThisFast } from "./states";

/** The state of each view. */
export interface Views {
  program: Program;
  loops: Loops;
  forms: FormName[];
  code: Code;
  journal: Journal;
  cost: Costs;
  loop_times: LoopTimesState;
  actions: Actions;
  steps: Choice[];
  primitives: PrimitiveForm[];
  memory: Memory;
  graph: Graph;
  history: Moment[];
  roof: Roof;
  knobs: Knobs;
  trials: Trials;
  threads: Threads;
  advice: AdviceList;
  why: Reasons;
  llvm: LLVMHalf;
  speed: WhyThisFast;
  python: ProgramCode;
  measured: Measured | null;
  checked: Checked;
  swept: Swept | null;
  data: Data | null;
  traced: Traced;
}
export type ViewName = keyof Views;
export type Options = Record<string, string | null>;

export interface StepJson {
  primitive: string;
  stage: string;
  args: Record<string, unknown>;
}

export interface Refused {
  message: string;
  hint: string;
  loops: string;
  where: string;
  text: string;
  /** Steps that lead to what was wanted, where some do. */
  steps: StepJson[];
  steps_text: string;
  /** What the hint names. */
  instead?: { step: StepJson; text: string }[];
}

export interface Reply {
  ok: boolean;
  said: string;
  code: string;
  refused: Refused | null;
  found: unknown;
}

export type FromPython =
  | { kind: "states"; version: number; revision?: number; states: Record<string, unknown>; patches?: Record<string, Patch>; due?: string[]; selected?: Selection; instead_of?: Selection }
  | { kind: "reply"; id: number; reply: Reply }
  | { kind: "busy"; what: string; done: number; note: string }
  | { kind: "failed"; what: string; message: string }
  | { kind: "idle"; what: string }
  | { kind: "done"; text: string; code?: string; good?: boolean }
  | { kind: "restored"; steps: number; when: number }
  | { kind: "late"; keys: string[] }
  | { kind: "looked" };

export type ToPython =
  | { kind: "watch"; client: string; views: Record<string, { view: string; options: Options }>; again: string[] }
  | { kind: "ask"; id: number; request: string; arguments: Record<string, unknown> }
  | { kind: "saving" }
  | { kind: "found"; in_notebook: boolean; record: unknown };

/** A widget's model, as anywidget gives it. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(message: unknown): void;
  on(event: string, f: (...args: never[]) => void): void;
  off(event: string, f: (...args: never[]) => void): void;
  widget_manager?: { context?: NotebookContext };
}

/** The document that a widget is in, where the notebook gives it (JupyterLab, Notebook 7). */
export interface NotebookContext {
  path: string;
  isDisposed?: boolean;
  save?(): Promise<void>;
  saveState?: Record<"connect" | "disconnect", (slot: (sender: unknown, state: string) => void) => unknown>;
  model: {
    getMetadata(key: string): unknown;
    setMetadata(key: string, value: unknown): void;
    sharedModel?: { insertCell(index: number, cell: { cell_type: "code"; source: string }): unknown };
  };
}
