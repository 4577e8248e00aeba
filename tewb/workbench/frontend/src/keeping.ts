/**
 * The journal that lives in the notebook file: what Python keeps of a program is written into the notebook's metadata,
 * under the program's fingerprint, and given back when the cell runs again.
 */
import type { FromPython, Model, NotebookContext } from "./messages";

interface Kept {
  programs: Record<string, { when: number; journal: string; steps: number }>;
}

const MOST = 20; // programs that a notebook keeps
const PAUSE = 250; // ms: the notebook looks through all of itself when its metadata change, and the paint comes first

/** Read what the notebook keeps, tell Python, and write what Python keeps from now on. Returns a function that ends this. */
export function keep(model: Model): () => void {
  const context = model.widget_manager?.context;
  const program = String(model.get("program"));
  model.send({ kind: "found", in_notebook: context !== undefined, record: context ? (read(context).programs[program] ?? null) : null });
  if (!context) return () => {};
  let later = 0;
  const writeLater = () => {
    window.clearTimeout(later);
    later = window.setTimeout(write, PAUSE);
  };
  const write = () => {
    const record = model.get("kept") as Kept["programs"][string];
    if (!record?.journal) return;
    const programs = { ...read(context).programs, [program]: record };
    const newest = Object.entries(programs).sort(([, a], [, b]) => b.when - a.when).slice(0, MOST);
    context.model.setMetadata("tewb", { programs: Object.fromEntries(newest) });
  };
  // What is saved is what is shown: the journal is written before, and where the look in the notebook was an older one, it is saved again.
  let isSaving = false;
  let again = false;
  const save = () => {
    again = isSaving;
    if (!isSaving && !context.isDisposed) void context.save?.();
  };
  const onSave = (_: unknown, state: string) => {
    isSaving = state === "started";
    if (isSaving) {
      clearTimeout(later);
      write();
      model.send({ kind: "saving" });
    } else if (again) save();
  };
  const onMessage = (message: FromPython) => message.kind === "looked" && save();
  model.on("change:kept", writeLater);
  model.on("msg:custom", onMessage as never);
  context.saveState?.connect(onSave);
  return () => {
    model.off("change:kept", writeLater);
    model.off("msg:custom", onMessage as never);
    context.saveState?.disconnect(onSave);
  };
}

function read(context: NotebookContext): Kept {
  const kept = context.model.getMetadata("tewb") as Partial<Kept> | undefined;
  return { programs: kept?.programs ?? {} };
}

/** When something was kept, as people say it: "today 14:05", "yesterday", "3 March". */
export function day(when: number, now: Date = new Date()): string {
  const then = new Date(when * 1000);
  const days = Math.round((midnight(now) - midnight(then)) / 86_400_000);
  if (days === 0) return `today ${then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  if (days === 1) return "yesterday";
  return then.toLocaleDateString([], { day: "numeric", month: "long", ...(then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) });
}

function midnight(d: Date): number {
  return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}
