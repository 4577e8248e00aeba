import { expect, test } from "vitest";
import { indexOf, layoutOf, namesOf } from "../src/data_layout";
import type { DataBuffer } from "../src/states";

const buffer = (shape: number[], strides: number[], elements: number, item = 4): DataBuffer => ({
  name: "A", kind: "input", dtype: "", shape, strides, item, elements, part: 0, use: "",
});

test("a matrix has its rows, a vector two lines in a row", () => {
  expect(layoutOf(buffer([16, 16], [16, 1], 256), 64)).toEqual({ across: 16, unit: 1, columns: 16, rows: 16 });
  expect(layoutOf(buffer([100], [1], 100), 64)).toEqual({ across: 32, unit: 1, columns: 32, rows: 4 });
  expect(layoutOf(buffer([5], [1], 5), 64)).toEqual({ across: 5, unit: 1, columns: 5, rows: 1 });
  expect(layoutOf(buffer([], [], 1), 64)).toEqual({ across: 1, unit: 1, columns: 1, rows: 1 });
  expect(layoutOf(buffer([4, 0], [0, 1], 0), 64)).toMatchObject({ rows: 0 });
});

test("rows are as far apart as in memory", () => {
  const padded = buffer([4, 6], [8, 1], 30);
  expect(layoutOf(padded, 64)).toEqual({ across: 8, unit: 1, columns: 8, rows: 4 });
  expect(indexOf(padded, 9)).toEqual([1, 1]);
  expect(indexOf(padded, 7)).toBeNull(); // a gap
});

test("columns that are neighbours in memory are rows of the picture", () => {
  const b = buffer([6, 8], [1, 6], 48);
  expect(layoutOf(b, 64)).toMatchObject({ across: 6, rows: 8 });
  expect(indexOf(b, 7)).toEqual([1, 1]);
});

test("in a large buffer a cell is a line of the cache, or some", () => {
  expect(layoutOf(buffer([512, 512], [512, 1], 512 * 512), 64)).toEqual({ across: 512, unit: 16, columns: 32, rows: 512 });
  expect(layoutOf(buffer([4096, 4096], [4096, 1], 2 ** 24), 64)).toMatchObject({ unit: 64, columns: 64 });
  expect(layoutOf(buffer([512, 512], [512, 1], 512 * 512, 8), 64)).toMatchObject({ unit: 8, columns: 64 });
});

test("short rows stand beside each other", () => {
  expect(layoutOf(buffer([500, 2], [2, 1], 1000), 64)).toMatchObject({ across: 16, rows: 63 });
});

test("elements are named by their indices", () => {
  const b = buffer([4, 8], [8, 1], 32);
  expect(namesOf(b, [9])).toBe("A[1, 1]");
  expect(namesOf(b, [8, 9, 15])).toBe("A[1, 0] to [1, 7]");
});
