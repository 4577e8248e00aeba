import { expect, test, vi } from "vitest";
import { Desk, keyOf } from "../src/desk";
import type { Model, ToPython } from "../src/messages";

/** A widget's model with nobody behind it: what is sent is kept, and the test answers. */
function model(traits: Record<string, unknown> = {}) {
  const sent: ToPython[] = [];
  const listeners = new Map<string, ((...args: never[]) => void)[]>();
  const values: Record<string, unknown> = { selected: { stage: "C", loop: "" }, form: "lowered", ...traits };
  const made = {
    get: (name: string) => values[name],
    set: (name: string, value: unknown) => (values[name] = value),
    save_changes: () => {},
    send: (message: ToPython) => sent.push(message),
    on: (event: string, f: (...args: never[]) => void) => listeners.set(event, [...(listeners.get(event) ?? []), f]),
    off: (event: string, f: (...args: never[]) => void) => listeners.set(event, (listeners.get(event) ?? []).filter((g) => g !== f)),
    tell: (event: string, ...args: unknown[]) => (listeners.get(event) ?? []).forEach((f) => f(...(args as never[]))),
  };
  return { model: made as unknown as Model, sent, values, tell: made.tell };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

// A page that paints when the test says so.
let frames: (() => void)[] = [];
vi.stubGlobal("requestAnimationFrame", (frame: () => void) => frames.push(frame));
const painted = () => {
  for (const frame of frames.splice(0)) frame();
  return soon();
};

test("a request is one message, and its reply is said", async () => {
  const desk = new Desk("d1");
  const m = model();
  desk.join(m.model);
  const asked = desk.do({ primitive: "split", stage: "C", args: { axis: "i", factor: 8 } });
  const message = m.sent.find((s) => s.kind === "ask")!;
  expect(message).toMatchObject({ request: "do", arguments: { steps: [{ primitive: "split", args: { factor: 8 } }] } });
  const reply = { ok: true, said: "split(C, axis=i, factor=8)", code: "", refused: null, found: null };
  m.tell("msg:custom", { kind: "reply", id: (message as { id: number }).id, reply });
  expect((await asked).ok).toBe(true);
  expect(desk.said.value?.text).toBe("✓ split(C, axis=i, factor=8)");
});

test("a refusal is said with its reason", async () => {
  const desk = new Desk("d2");
  const m = model();
  desk.join(m.model);
  const asked = desk.ask("undo");
  const refused = { message: "nothing to take back", hint: "h", loops: "", where: "", text: "", steps: [], steps_text: "" };
  m.tell("msg:custom", { kind: "reply", id: 1, reply: { ok: false, said: "", code: "", refused, found: null } });
  await asked;
  expect(desk.said.value).toMatchObject({ kind: "refused", text: "✗ nothing to take back", refused });
});

test("what comes before states are painted waits, and is then shown at once", async () => {
  const desk = new Desk("d-held");
  const m = model();
  desk.join(m.model);
  const [loops] = desk.watch("loops");
  const [python] = desk.watch("python");
  await soon();
  const seen: unknown[] = [];
  python.subscribe((state) => seen.push((state as { text: string } | undefined)?.text));
  const tell = (states: object) => m.tell("msg:custom", { kind: "states", version: 1, states });
  const roots = [{ key: "A" }, { key: "B", inside: [{ key: "B/i" }] }];
  tell({ '["loops",{}]': { roots, problem: null } });
  tell({ '["python",{}]': { text: "1" } });
  tell({ '["python",{}]': { text: "2" }, '["loops",{}]': { roots: [{ key: "a" }, { key: "B", inside: [{ key: "B/i" }] }], problem: null } });
  expect(loops.value?.roots).toBe(roots);
  await painted();
  expect(seen).toEqual([undefined, "2"]);
  expect(loops.value?.roots[0]).toEqual({ key: "a" });
  expect(loops.value?.roots[1]).toBe(roots[1]); // is as it was: nothing is drawn for it
  await painted();
  tell({ '["python",{}]': { text: "3" } });
  expect(seen.at(-1)).toBe("3");
});

test("a page that paints no frames shows what comes all the same", async () => {
  vi.useFakeTimers();
  const desk = new Desk("d-hidden");
  const m = model();
  desk.join(m.model);
  const [python] = desk.watch("python");
  for (const text of ["1", "2"]) m.tell("msg:custom", { kind: "states", version: 1, states: { '["python",{}]': { text } } });
  expect(python.value).toEqual({ text: "1" });
  vi.advanceTimersByTime(200);
  expect(python.value).toEqual({ text: "2" });
  vi.useRealTimers();
});

test("the heir of a loop comes with the states, unless another one was chosen meanwhile", async () => {
  const desk = new Desk("d-heir");
  const m = model({ selected: { stage: "C", loop: "j" } });
  desk.join(m.model);
  const heir = { kind: "states", version: 2, states: {}, selected: { stage: "C", loop: "j.outer" }, instead_of: { stage: "C", loop: "j" } };
  m.tell("msg:custom", heir);
  expect(desk.selected.value).toEqual({ stage: "C", loop: "j.outer" });
  expect(m.values["selected"]).toEqual({ stage: "C", loop: "j" }); // Python says so itself
  await painted();
  desk.select("C", "k");
  m.tell("msg:custom", heir);
  expect(desk.selected.value).toEqual({ stage: "C", loop: "k" });
});

test("what is left and wanted again in one moment keeps its state", async () => {
  const desk = new Desk("d-again");
  const m = model();
  desk.join(m.model);
  const [first, end] = desk.watch("loops");
  m.tell("msg:custom", { kind: "states", version: 1, states: { '["loops",{}]': { roots: [], problem: null } } });
  await soon();
  end();
  const [second] = desk.watch("loops");
  await soon();
  expect(second).toBe(first);
  expect(second.value).toEqual({ roots: [], problem: null });
  expect((m.sent.at(-1) as { views: object }).views).toEqual({ '["loops",{}]': { view: "loops", options: {} } });
});

test("what several components watch is watched once, until the last of them leaves", async () => {
  const desk = new Desk("d3");
  const m = model();
  desk.join(m.model);
  const [loops, endA] = desk.watch("loops");
  const [again, endB] = desk.watch("loops");
  expect(again).toBe(loops);
  await soon();
  const watches = () => m.sent.filter((s) => s.kind === "watch");
  expect(Object.values((watches().at(-1) as { views: object }).views)).toEqual([{ view: "loops", options: {} }]);
  m.tell("msg:custom", { kind: "states", version: 1, states: { '["loops",{}]': { roots: [], problem: null } } });
  expect(loops.value).toEqual({ roots: [], problem: null });
  await painted();
  endA();
  await soon();
  const count = watches().length;
  endB();
  await soon();
  expect(watches().length).toBe(count + 1);
  expect((watches().at(-1) as { views: object }).views).toEqual({});
});

test("a patch changes the state that it is for; else the page asks for all of it", async () => {
  const desk = new Desk("d-patch");
  const m = model();
  desk.join(m.model);
  const [code] = desk.watch("python");
  await soon();
  const key = '["python",{}]';
  const tell = (revision: number, more: object) => m.tell("msg:custom", { kind: "states", version: 1, revision, states: {}, ...more });
  const asked = () => m.sent.flatMap((s) => (s.kind === "watch" ? s.again : []));
  tell(4, { states: { [key]: { text: "a\nb\nc" } } });
  await painted();
  tell(6, { patches: { [key]: { since: 4, fields: {}, lines: { text: [[1, 2, ["B", "B"]]] } } } });
  expect([code.value, asked()]).toEqual([{ text: "a\nB\nB\nc" }, []]);
  await painted();
  tell(9, { patches: { [key]: { since: 7, fields: {}, lines: { text: [[0, 4, []]] } }, other: { since: 1, fields: {}, lines: {} } } });
  expect([code.value, asked()]).toEqual([{ text: "a\nB\nB\nc" }, [key]]);
  await painted();
  tell(10, { states: { [key]: { text: "whole" } } });
  await painted();
  tell(11, { patches: { [key]: { since: 10, fields: { text: "x" }, lines: {} } } });
  expect([code.value, asked()]).toEqual([{ text: "x" }, [key]]);
});

test("states of a widget that was not asked are left", async () => {
  const desk = new Desk("d-two");
  const [a, b] = [model(), model()];
  const leave = desk.join(a.model);
  desk.join(b.model);
  const [code] = desk.watch("python");
  await soon();
  leave();
  desk.join(a.model);
  const tell = (m: typeof a, text: string) => m.tell("msg:custom", { kind: "states", version: 1, states: { '["python",{}]': { text } } });
  tell(b, "of b");
  tell(a, "of a");
  expect(code.value).toEqual({ text: "of b" });
});

test("a selection made here is told to Python, and one made there is not told back", () => {
  const desk = new Desk("d4");
  const m = model();
  desk.join(m.model);
  desk.select("C", "i");
  expect(m.values["selected"]).toEqual({ stage: "C", loop: "i" });
  m.values["selected"] = { stage: "X", loop: "" };
  m.tell("change:selected");
  expect(desk.selected.value).toEqual({ stage: "X", loop: "" });
  expect(m.values["selected"]).toEqual({ stage: "X", loop: "" });
});

test("when a widget goes, another one of the desk carries its messages", async () => {
  const desk = new Desk("d5");
  const [a, b] = [model(), model()];
  const leave = desk.join(a.model);
  desk.join(b.model);
  desk.watch("journal");
  await soon();
  leave();
  expect(b.sent.at(-1)).toMatchObject({ kind: "watch", views: { '["journal",{}]': { view: "journal" } } });
});

test("what work in the background came to is said; a program that came of it can be taken to a cell", () => {
  const desk = new Desk("d9");
  const m = model();
  desk.join(m.model);
  m.tell("msg:custom", { kind: "done", text: "✓ result equals numpy's; tewb 2 ms" });
  expect(desk.said.value).toMatchObject({ text: "✓ result equals numpy's; tewb 2 ms", kind: "done" });
  expect(desk.said.value?.offer).toBeUndefined();
  m.tell("msg:custom", { kind: "done", text: "1 of 2 steps", code: "import tewb" });
  expect(desk.said.value?.offer?.text).toBe("The program, to a cell");
});

test("what is wanted because of new states is asked for when these are painted", async () => {
  const desk = new Desk("wanted");
  const m = model();
  desk.join(m.model);
  desk.watch("loops");
  await soon();
  m.tell("msg:custom", { kind: "states", version: 1, states: { '["loops",{}]': { roots: [], problem: null } } });
  const count = m.sent.length;
  desk.watch("actions", { stage: "C" });
  await soon();
  expect(m.sent.length).toBe(count);
  await painted();
  expect(Object.keys((m.sent.at(-1) as { views: object }).views)).toEqual(['["loops",{}]', '["actions",{"stage":"C"}]']);
});

test("states are old from a request until those of now are shown", async () => {
  const desk = new Desk("d-due");
  const m = model();
  desk.join(m.model);
  const of = { stage: "C", loop: null };
  desk.watch("actions", of);
  await soon();
  const key = keyOf("actions", of);
  const states = (more: object) => m.tell("msg:custom", { kind: "states", version: 1, states: {}, ...more });
  expect(desk.isOld("actions", of)).toBe(false);
  const asked = desk.ask("undo");
  expect(desk.isOld("actions", of)).toBe(true); // nobody knows yet what came of it
  states({ due: [key] });
  m.tell("msg:custom", { kind: "reply", id: 1, reply: { ok: true, said: "", code: "", refused: null, found: null } });
  await asked;
  expect(desk.isOld("actions", of)).toBe(true);
  states({ states: { [key]: { choices: [] } }, due: [] }); // here, and not shown until the page has painted
  expect(desk.isOld("actions", of)).toBe(true);
  await painted();
  expect(desk.isOld("actions", of)).toBe(false);
  await painted();
  states({});
  states({ due: [key] }); // waits for the paint, and is true at once
  expect(desk.isOld("actions", of)).toBe(true);
});
