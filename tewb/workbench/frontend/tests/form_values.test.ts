import { expect, test } from "vitest";
import { argumentsOf, startValues } from "../src/form_values";
import type { FormField, PrimitiveForm } from "../src/states";

const field = (name: string, kind: string, more: Partial<FormField> = {}): FormField => ({
  name, kind, doc: "", required: true, value: "", choices: [], places: {}, rare: false, unsaid: "", ...more,
});
const tile: PrimitiveForm = {
  name: "tile",
  stage: "", doc: "",
  fields: [field("x", "axis", { choices: ["i", "j", "k"] }), field("y", "axis", { choices: ["i", "j", "k"] }), field("x_factor", "int", { value: "16" })],
};

test("two loops are never the same one: the second is the loop inside of the first", () => {
  expect(startValues(tile, "i")).toMatchObject({ x: "i", y: "j" });
  expect(startValues(tile, "j")).toMatchObject({ x: "j", y: "k" });
  expect(startValues(tile, "k")).toMatchObject({ x: "j", y: "k" });
  expect(startValues(tile, "")).toMatchObject({ x: "i", y: "j" });
});

test("numbers become numbers, words stay words, what is empty is left out", () => {
  const form: PrimitiveForm = { name: "split", stage: "", doc: "", fields: [field("axis", "axis"), field("factor", "int"), field("nparts", "int")] };
  expect(argumentsOf(form, { axis: "i", factor: " 8 ", nparts: "" })).toEqual({ axis: "i", factor: 8 });
  expect(argumentsOf(form, { axis: "i", factor: "n" })).toEqual({ axis: "i", factor: "n" });
});

test("several loops are a list", () => {
  const form: PrimitiveForm = { name: "reorder", stage: "", doc: "", fields: [field("axes", "axes")] };
  expect(argumentsOf(form, { axes: "j, i ,," })).toEqual({ axes: ["j", "i"] });
});

test("the place in a parent is one of its loops", () => {
  const form: PrimitiveForm = {
    name: "compute_at",
    stage: "", doc: "",
    fields: [field("parent", "stage", { value: "Y", choices: ["Y"], places: { Y: ["i", "j"] } }), field("axis", "place")],
  };
  expect(startValues(form, "")).toEqual({ parent: "Y", axis: "i" });
});
