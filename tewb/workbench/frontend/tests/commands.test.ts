import { expect, test } from "vitest";
import { COMMANDS, keyOf, TREE_KEYS } from "../src/commands";
import { PANE_DOCS } from "../src/pane_docs";
import { PANES } from "../src/panes";
import { snapped } from "../src/parts/splitter";

const press = (key: string, more: Partial<KeyboardEvent> = {}) =>
  keyOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more } as KeyboardEvent);

test("no key has two meanings", () => {
  const keys = COMMANDS.flatMap((c) => c.keys);
  expect(new Set(keys).size).toBe(keys.length);
  const ofTree = TREE_KEYS.flatMap(([keys]) => keys.split(" "));
  expect(keys.filter((k) => ofTree.includes(k))).toEqual([]);
});

test("keys are named with what is held", () => {
  expect(press("z", { ctrlKey: true })).toBe("Mod+z");
  expect(press("Z", { metaKey: true, shiftKey: true })).toBe("Mod+Shift+z");
  expect([press("?", { shiftKey: true }), press("F", { shiftKey: true }), press("3")]).toEqual(["?", "Shift+f", "3"]);
});

test("each pane has a line that says what it is for, and a command that shows it", () => {
  for (const name of Object.keys(PANE_DOCS)) {
    expect(PANES[name]).toBeDefined();
    expect(COMMANDS.some((c) => c.name === `Show ${PANE_DOCS[name]![0]}`)).toBe(true);
  }
});

test("a pane that is dragged small is folded away", () => {
  expect([0.03, 0.5, 0.97, -1, 2].map(snapped)).toEqual([0, 0.5, 1, 0, 1]);
});
