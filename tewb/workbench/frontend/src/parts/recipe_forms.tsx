/** The forms of recipes: making one of the selected steps, and doing one again with other arguments. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { argumentsOf, type Values } from "../form_values";
import { useDesk } from "../hooks";
import type { RecipeLine } from "../states";
import { Field } from "./primitive_fields";

interface Varying {
  key: string;
  text: string;
  value: number | string;
  name: string;
  chosen: boolean;
}

/** What is made of the steps that are selected: a name, and the values that vary. */
export function MakeRecipe({ first, count, close }: { first: number; count: number; close(): void }) {
  const desk = useDesk();
  const values = useSignal<readonly Varying[]>([]);
  useEffect(() => {
    void desk.inquire("varying", { step: first, count }).then((reply) => {
      if (reply.ok) values.value = reply.found as Varying[];
    });
  }, []);
  const change = (key: string, to: Partial<Varying>) => (values.value = values.value.map((v) => (v.key === key ? { ...v, ...to } : v)));
  const make = (event: SubmitEvent) => {
    event.preventDefault();
    const name = (new FormData(event.currentTarget as HTMLFormElement).get("name") as string).trim();
    const parameters = Object.fromEntries(values.value.filter((v) => v.chosen).map((v) => [v.key, v.name]));
    void desk.ask("make_recipe", { name, step: first, count, parameters }).then((reply) => reply.ok && close());
  };
  const steps = count === 1 ? `step ${first}` : `steps ${first} to ${first + count - 1}`;
  return (
    <form class="tw-recipe-form" aria-label={`Make a recipe of ${steps}`} onSubmit={make} onKeyDown={(e) => e.key === "Escape" && close()}>
      <div class="tw-bar">
        <label class="tw-field">
          <span>Make a recipe of {steps}, called</span>
          <input name="name" required size={14} placeholder="tiled" title="a word; the recipe is a function of this name" />
        </label>
        <button type="submit" class="tw-button tw-primary" title="these steps become a call of the recipe, which can be done again on another stage">
          Make
        </button>
        <button type="button" class="tw-button" onClick={close}>
          Cancel
        </button>
      </div>
      {values.value.length > 0 && <div class="tw-dim">The stages are parameters. What else varies:</div>}
      {values.value.map((v) => (
        <div key={v.key} class="tw-bar">
          <label title={v.text}>
            <input type="checkbox" checked={v.chosen} onChange={(e) => change(v.key, { chosen: e.currentTarget.checked })} /> step {v.key.replace(".", ", ")} = {v.value}
          </label>
          <label class="tw-field">
            <span>as</span>
            <input size={10} aria-label={`Name of the parameter for ${v.key}`} disabled={!v.chosen} value={v.name} onInput={(e) => change(v.key, { name: e.currentTarget.value.trim() })} />
          </label>
        </div>
      ))}
    </form>
  );
}

/** The arguments of a call, to do it again with others. */
export function EditRecipe({ recipe, close }: { recipe: RecipeLine; close(): void }) {
  const desk = useDesk();
  const typed = useSignal<Values>({});
  const form = { name: recipe.name, stage: "", doc: "", fields: recipe.fields };
  const values = { ...Object.fromEntries(recipe.fields.map((f) => [f.name, f.value])), ...typed.value };
  const apply = (event: Event) => {
    event.preventDefault();
    const given = argumentsOf(form, values);
    void desk.ask("edit_recipe", { step: recipe.first, count: recipe.count, arguments: given }).then((reply) => reply.ok && close());
  };
  return (
    <form class="tw-form-fields" aria-label={`Arguments of ${recipe.name}`} onSubmit={apply} onKeyDown={(e) => (e.key === "Escape" ? close() : e.stopPropagation())}>
      {recipe.fields.map((field) => (
        <Field key={field.name} field={field} form={form} values={values} set={(value) => (typed.value = { ...typed.value, [field.name]: value })} />
      ))}
      <button type="submit" class="tw-button tw-primary" title="do the recipe again with these">
        Apply
      </button>
    </form>
  );
}
