import { expect, test, vi } from "vitest";
import { keep } from "../src/keeping";
import type { Model } from "../src/messages";

/** A widget in a notebook that can be saved. */
function inNotebook() {
  const listeners = new Map<string, (...args: never[]) => void>();
  const slots: ((sender: unknown, state: string) => void)[] = [];
  const sent: unknown[] = [];
  const written: unknown[] = [];
  const context = {
    path: "a.ipynb",
    isDisposed: false,
    save: vi.fn(async () => {}),
    saveState: { connect: (slot: (typeof slots)[0]) => slots.push(slot), disconnect: () => slots.pop() },
    model: { getMetadata: () => undefined, setMetadata: (_: string, value: unknown) => written.push(value) },
  };
  const model = {
    get: (name: string) => (name === "kept" ? { when: 1, journal: "[]", steps: 0 } : "p"),
    send: (m: unknown) => sent.push(m),
    on: (event: string, f: (...args: never[]) => void) => listeners.set(event, f),
    off: (event: string) => listeners.delete(event),
    widget_manager: { context },
  } as unknown as Model;
  const save = (state: string) => slots.forEach((slot) => slot(null, state));
  const tell = (message: unknown) => listeners.get("msg:custom")!(message as never);
  return { model, context, sent, written, save, tell, slots, listeners };
}

test("before a notebook is saved, the journal is written and the look is asked for; a new look is saved too, once", () => {
  const n = inNotebook();
  const end = keep(n.model);
  n.save("started");
  expect(n.written).toHaveLength(1);
  expect(n.sent.at(-1)).toEqual({ kind: "saving" });
  n.tell({ kind: "looked" });
  expect(n.context.save).not.toHaveBeenCalled(); // one save after the other
  n.save("completed");
  expect(n.context.save).toHaveBeenCalledTimes(1);
  n.save("started");
  n.save("completed");
  expect(n.context.save).toHaveBeenCalledTimes(1);
  n.tell({ kind: "looked" }); // it came when the notebook was saved already
  expect(n.context.save).toHaveBeenCalledTimes(2);
  n.context.isDisposed = true;
  n.tell({ kind: "looked" });
  expect(n.context.save).toHaveBeenCalledTimes(2);
  end();
  expect([n.slots.length, n.listeners.size]).toEqual([0, 0]);
});
