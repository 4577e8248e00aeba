/** What stands in the fields of a primitive's form, and the arguments that it means. */
import type { PrimitiveForm } from "./states";

export type Values = Record<string, string>;

/** What a form shows first: the chosen loop where it takes one, and the loop inside of it for the second; the last loops, where
 * nothing is inside of the chosen one. */
export function startValues(form: PrimitiveForm, loop: string): Values {
  const values: Values = {};
  let next = 0;
  const wanted = form.fields.filter((f) => f.kind === "axis").length;
  for (const f of form.fields) {
    values[f.name] = f.kind === "axes" ? f.choices.join(", ") : f.value;
    if (f.kind === "axis" && f.choices.length) {
      const at = Math.max(Math.min(f.choices.indexOf(loop), f.choices.length - wanted), 0) + next++;
      values[f.name] = f.choices[Math.min(at, f.choices.length - 1)]!;
    }
    if (f.kind === "stage" && !values[f.name]) values[f.name] = f.choices[0] ?? "";
    if (f.kind === "place") {
      const parent = form.fields.find((g) => g.kind === "stage");
      values[f.name] = parent?.places[values[parent.name] ?? ""]?.[0] ?? "";
    }
  }
  return values;
}

const NUMBERS = new Set(["int", "size", "value"]);

/** Whether a parameter is typed as a number: a size may be the name of a variable as well. */
export function isNumeric(kind: string): boolean {
  return NUMBERS.has(kind);
}

const TEXTS = new Set(["condition", "call condition", "layout"]);

/** Whether a parameter is a text of one's own, of which the choices are only some that may be wanted. */
export function isText(kind: string): boolean {
  return TEXTS.has(kind);
}

const LISTS = new Set(["axes", "stages", "threads"]);

/** The arguments of a step; what was left empty is left out. */
export function argumentsOf(form: PrimitiveForm, values: Values): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const f of form.fields) {
    const text = (values[f.name] ?? "").trim();
    if (!text) continue;
    if (LISTS.has(f.kind)) given[f.name] = text.split(",").map((x) => x.trim()).filter(Boolean);
    else if (isNumeric(f.kind)) given[f.name] = /^-?\d+$/.test(text) ? Number(text) : text;
    else given[f.name] = text;
  }
  return given;
}
