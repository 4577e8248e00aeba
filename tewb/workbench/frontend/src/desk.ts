/**
 * The page's half of a desk: one for all widgets that show the same session, whatever cells they are in.
 *
 * It watches views for the components that show them, sends requests and resolves their replies, and holds what
 * belongs to the page alone: what is hovered, what was said last.
 */
import { batch, effect, signal, type Signal } from "@preact/signals";
import { day } from "./keeping";
import { writeCell } from "./sharing";
import type { FromPython, Model, NotebookContext, Options, Refused, Reply, StepJson, ToPython, ViewName, Views } from "./messages";
import { kept, patched } from "./patches";

export interface Selection {
  stage: string;
  loop: string;
}

/** What lights up together: parts (stages and loops) and steps, by their numbers. */
export interface Lit {
  parts: ReadonlySet<number>;
  steps: ReadonlySet<number>;
}

export interface Said {
  text: string;
  kind: "done" | "refused";
  refused: Refused | null;
  /** Something that can be done about it, as a button. */
  offer?: { text: string; run(): void };
}

/** The moment that the player of accesses shows: the values of loops by their rows in the tree, and the line of code. */
export interface Now {
  values: ReadonlyMap<string, number>;
  line: number | null;
  form: string;
}

interface Watched {
  view: ViewName;
  options: Options;
  users: number;
  state: Signal<unknown>;
  /** Of the message that the state came with. */
  revision: number;
}

type States = Extract<FromPython, { kind: "states" }>;

export const NOTHING_LIT: Lit = { parts: new Set(), steps: new Set() };

export class Desk {
  readonly selected = signal<Selection>({ stage: "", loop: "" });
  readonly form = signal("");
  readonly lit = signal<Lit>(NOTHING_LIT);
  /** The access that is shown, whether it plays, and where it is. */
  readonly time = signal(0);
  readonly isPlaying = signal(false);
  readonly now = signal<Now | null>(null);
  readonly said = signal<Said | null>(null);
  readonly busy = signal<{ what: string; done: number; note: string } | null>(null);
  /** The keys of views whose states are those before the last change, while the new ones are made. */
  readonly late = signal<readonly string[]>([]);
  /** The keys of views whose states are of before an edit, as those of now are still to come. */
  readonly due = signal<ReadonlySet<string>>(new Set());
  /** How many requests wait for their replies. */
  readonly waiting = signal(0);
  private readonly client = Math.random().toString(36).slice(2);
  private readonly models: Model[] = [];
  private readonly watched = new Map<string, Watched>();
  private readonly replies = new Map<number, (reply: Reply) => void>();
  private nextId = 1;
  private willWatch = false;
  /** States that wait until the ones before them are on the screen. */
  private held: States[] | null = null;
  private fromPython = false;

  constructor(readonly id: string) {
    effect(() => this.share("selected", this.selected.value));
    effect(() => this.share("form", this.form.value));
    effect(() => void (this.isPlaying.value || this.share("time", this.time.value)));
  }

  // ---- models

  /** Take part with a widget's model. Returns a function that ends this. */
  join(model: Model): () => void {
    // States are sent to who asked for them; a widget that came back may still send what another one carries now.
    const onMessage = (message: FromPython) => void ((message.kind !== "states" || model === this.models[0]) && this.take(message));
    const onSelected = () => this.take_trait(() => (this.selected.value = model.get("selected") as Selection));
    const onForm = () => this.take_trait(() => (this.form.value = String(model.get("form"))));
    const onTime = () => this.take_trait(() => (this.time.value = Number(model.get("time"))));
    model.on("msg:custom", onMessage as never);
    model.on("change:selected", onSelected);
    model.on("change:form", onForm);
    model.on("change:time", onTime);
    if (this.models.length === 0) {
      onSelected();
      onForm();
      if (model.get("time") !== undefined) onTime();
    }
    this.models.push(model);
    this.sendWatch();
    return () => {
      model.off("msg:custom", onMessage as never);
      model.off("change:selected", onSelected);
      model.off("change:form", onForm);
      model.off("change:time", onTime);
      this.models.splice(this.models.indexOf(model), 1);
      this.sendWatch();
    };
  }

  private take_trait(change: () => void): void {
    this.fromPython = true;
    try {
      change();
    } finally {
      this.fromPython = false;
    }
  }

  /** Tell Python a trait that was changed here. */
  private share(name: string, value: unknown): void {
    const model = this.models[0];
    if (!model || this.fromPython || model.get(name) === undefined || JSON.stringify(model.get(name)) === JSON.stringify(value)) return;
    model.set(name, value);
    model.save_changes();
  }

  /** The notebook that the page is in, where it can be reached. */
  get notebook(): NotebookContext | undefined {
    return this.models[0]?.widget_manager?.context;
  }

  private send(message: ToPython): void {
    this.models[0]?.send(message);
  }

  private take(message: FromPython): void {
    switch (message.kind) {
      case "states":
        if (this.held) {
          this.held.push(message);
          if (message.due) this.due.value = new Set([...this.due.peek(), ...message.due]); // no more, until what came is shown
        } else this.show(message);
        break;
      case "reply": {
        const resolve = this.replies.get(message.id);
        this.replies.delete(message.id);
        this.waiting.value = this.replies.size;
        resolve?.(message.reply);
        break;
      }
      case "busy":
        this.busy.value = message;
        break;
      case "idle":
        this.busy.value = null;
        break;
      case "done":
        if (message.good === false) this.say({ text: message.text, kind: "done", refused: null });
        else this.done(message.text.replace(/^✓ /, ""), message.code);
        break;
      case "late":
        this.late.value = message.keys;
        break;
      case "restored": {
        const steps = `${message.steps} step${message.steps === 1 ? "" : "s"}`;
        this.say({ text: `${steps} from ${day(message.when)} are here again`, kind: "done", refused: null, offer: { text: "Start over", run: () => void this.ask("reset") } });
        break;
      }
      case "failed":
        this.say({ text: `✗ ${message.what} failed: ${message.message}`, kind: "refused", refused: null });
    }
  }

  /** Show states, and then let the page paint: what comes meanwhile waits, and is shown all at once. */
  private show(...messages: States[]): void {
    this.take_trait(() => batch(() => messages.forEach((message) => this.put(message))));
    this.held = [];
    afterPaint(() => {
      const held = this.held!;
      this.held = null;
      if (held.length) this.show(...held);
    });
  }

  private put(message: States): void {
    const again: string[] = [];
    for (const [key, known] of this.watched) {
      const patch = message.patches?.[key];
      const before = known.state.peek();
      if (key in message.states) known.state.value = kept(before, message.states[key]);
      else if (patch?.since === known.revision) known.state.value = kept(before, patched(before as object, patch));
      else {
        if (patch) again.push(key); // what was sent before did not come here
        continue;
      }
      known.revision = message.revision ?? 0;
    }
    if (again.length) this.sendWatch(again);
    this.due.value = new Set([...(message.due ?? []), ...again]);
    // A loop that is gone has an heir; somebody who chose another one meanwhile keeps that.
    const { selected, instead_of } = message;
    const { stage, loop } = this.selected.peek();
    if (selected && stage === instead_of?.stage && loop === instead_of.loop) this.selected.value = selected;
  }

  // ---- views

  /** Watch a view: its state as a signal (undefined until it comes), and a function that ends this. */
  watch<V extends ViewName>(view: V, options: Options = {}): [Signal<Views[V] | undefined>, () => void] {
    const key = keyOf(view, options);
    let known = this.watched.get(key);
    if (!known) {
      known = { view, options, users: 0, state: signal(undefined), revision: 0 };
      this.watched.set(key, known);
      this.watchSoon();
    }
    known.users += 1;
    const mine = known;
    const end = () => {
      mine.users -= 1;
      if (mine.users === 0) this.watchSoon(); // somebody else may want it until then, and finds its state
    };
    return [known.state as Signal<Views[V] | undefined>, end];
  }

  /** Whether the state of a view may be of before an edit: the new one is to come, or nobody yet knows what was done. */
  isOld(view: ViewName, options: Options = {}): boolean {
    return this.waiting.value > 0 || this.due.value.has(keyOf(view, options));
  }

  private watchSoon(): void {
    if (this.willWatch) return;
    this.willWatch = true;
    const send = () => {
      this.willWatch = false;
      this.sendWatch();
    };
    // What is wanted because of new states is asked for when these are on the screen.
    if (this.held) afterPaint(send);
    else queueMicrotask(send);
  }

  /** Say what is watched; the states of `again` are sent whole. */
  private sendWatch(again: string[] = []): void {
    for (const [key, w] of this.watched) if (!w.users) this.watched.delete(key);
    const views = Object.fromEntries([...this.watched].map(([key, w]) => [key, { view: w.view, options: w.options }]));
    this.send({ kind: "watch", client: this.client, views, again });
  }

  // ---- requests

  /** Send a request, all of it in one message. What came of it is said, and returned. */
  async ask(request: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const reply = await this.inquire(request, args);
    if (reply.ok) this.say(reply.said && !reply.said.endsWith(" began") ? { text: `✓ ${reply.said}`, kind: "done", refused: null } : null);
    else this.say({ text: `✗ ${reply.refused?.message ?? "refused"}`, kind: "refused", refused: reply.refused });
    return reply;
  }

  /** As `ask`, without a word to the user. */
  inquire(request: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.replies.set(id, resolve);
      this.waiting.value = this.replies.size;
      this.send({ kind: "ask", id, request, arguments: args });
    });
  }

  do(...steps: StepJson[]): Promise<Reply> {
    return this.ask("do", { steps });
  }

  say(said: Said | null): void {
    this.said.value = said;
  }

  /** Say what was done; `code` that came of it can be written into a cell. */
  done(text: string, code?: string): void {
    const offer = code ? { offer: { text: "The program, to a cell", run: () => void writeCell(this, code) } } : {};
    this.say({ text: `✓ ${text}`, kind: "done", refused: null, ...offer });
  }

  // ---- selection and light

  select(stage: string, loop = ""): void {
    const now = this.selected.peek();
    if (now.stage !== stage || now.loop !== loop) this.selected.value = { stage, loop };
  }

  light(parts: Iterable<number>, steps: Iterable<number> = []): void {
    this.lit.value = { parts: new Set(parts), steps: new Set(steps) };
  }

  dim(): void {
    if (this.lit.peek() !== NOTHING_LIT) this.lit.value = NOTHING_LIT;
  }
}

/** What a view with these options is called in messages. */
export const keyOf = (view: ViewName, options: Options = {}) => JSON.stringify([view, options]);

/** When the next frame is on the screen; a page that is hidden paints none. */
function afterPaint(then: () => void): void {
  let isDone = false;
  const once = () => {
    if (!isDone) then();
    isDone = true;
  };
  setTimeout(once, 100);
  requestAnimationFrame(() => setTimeout(once));
}

const desks = new Map<string, Desk>();

/** The desk of that name; all widgets of a session share it. */
export function deskOf(id: string): Desk {
  let desk = desks.get(id);
  if (!desk) desks.set(id, (desk = new Desk(id)));
  return desk;
}
