import { expect, test } from "vitest";
import { amount, heatByKey, heatByPart, shownAmount } from "../src/heat";
import type { CostLine } from "../src/states";

const line = (key: string, part: number, more: Partial<CostLine> = {}): CostLine => ({
  key, part, iterations: 0, operations: 0, loaded: 0, stored: 0, calls: 0, ...more,
});
const lines = [line("C", 0, { operations: 200, loaded: 1024, stored: 1024 }), line("C/i", 1, { operations: 50, iterations: 8 })];

test("bytes are those that are loaded and stored", () => {
  expect(amount(lines[0]!, "bytes")).toBe(2048);
  expect(shownAmount(lines[0]!, "bytes")).toBe("2 KiB moved");
  expect(shownAmount(lines[1]!, "iterations")).toBe("8 iterations");
});

test("heat is the share of the most", () => {
  expect(heatByKey(lines, "operations").get("C/i")?.share).toBe(0.25);
  expect(heatByPart(lines, "operations").get(0)?.share).toBe(1);
});

test("without a metric nothing is hot", () => {
  expect(heatByKey(lines, "none").size).toBe(0);
  expect(heatByPart(lines, "none").size).toBe(0);
});
