import { expect, test } from "vitest";
import { COMMANDS } from "../src/commands";
import type { Desk } from "../src/desk";
import { measureLoops, metric } from "../src/metric";

test("to measure the loops shows their times, and leaves a chosen time as it is", () => {
  const asked: string[] = [];
  const desk = { ask: (request: string) => asked.push(request) } as unknown as Desk;
  metric.value = "bytes";
  measureLoops(desk);
  expect(metric.value).toBe("seconds");
  metric.value = "own";
  COMMANDS.find((c) => c.keys.includes("Shift+m"))!.run(desk);
  expect(metric.value).toBe("own");
  expect(asked).toEqual(["measure_loops", "measure_loops"]);
});
