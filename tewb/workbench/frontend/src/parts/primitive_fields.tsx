/** A form for one primitive or recipe: its parameters, from its declaration. Enter in any field applies; one message carries all of them. */
import { useSignal } from "@preact/signals";
import { useDesk, useView } from "../hooks";
import { argumentsOf, isNumeric, isText, startValues, type Values } from "../form_values";
import type { FormField, PrimitiveForm } from "../states";

export function PrimitiveFields({ stage, loop }: { stage: string; loop: string }) {
  const forms = useView("primitives", { stage });
  const chosen = useSignal("split");
  const known = forms.value ?? [];
  const form = known.find((f) => f.name === chosen.value) ?? known[0];
  if (!form) return null;
  return <Fields key={`${stage}/${form.name}`} form={form} forms={known} stage={stage} loop={loop} choose={(name) => (chosen.value = name)} />;
}

interface FieldsProps {
  form: PrimitiveForm;
  forms: readonly PrimitiveForm[];
  stage: string;
  loop: string;
  choose(name: string): void;
}

function Fields({ form, forms, stage, loop, choose }: FieldsProps) {
  const desk = useDesk();
  const typed = useSignal<Values>({});
  const more = useSignal(false);
  const shown = form.fields.filter((f) => !f.rare || more.value);
  const values = { ...startValues(form, loop), ...typed.value };
  const apply = (event: Event) => {
    event.preventDefault();
    void desk.do({ primitive: form.name, stage, args: argumentsOf(form, values) });
  };
  return (
    <form class="tw-form-fields" onSubmit={apply} aria-label={`Parameters of ${form.name}`}>
      <select aria-label="Primitive" value={form.name} title={form.doc} onChange={(e) => choose(e.currentTarget.value)}>
        {forms.map((f) => (
          <option value={f.name}>{f.name}</option>
        ))}
      </select>
      {shown.map((field) => (
        <Field key={field.name} field={field} values={values} set={(value) => (typed.value = { ...typed.value, [field.name]: value })} form={form} />
      ))}
      {shown.length < form.fields.length && (
        <button type="button" class="tw-button" title="what few people want" aria-expanded="false" onClick={() => (more.value = true)}>
          more …
        </button>
      )}
      <button type="submit" class="tw-button tw-primary" disabled={form.stage !== stage} title={`${form.name} with these parameters (Enter in a field)`}>
        Apply
      </button>
    </form>
  );
}

export function Field({ field, form, values, set }: { field: FormField; form: PrimitiveForm; values: Values; set(value: string): void }) {
  const value = values[field.name] ?? "";
  const parent = form.fields.find((f) => f.kind === "stage");
  const choices = field.kind === "place" ? (parent?.places[values[parent.name] ?? ""] ?? []) : field.choices;
  const label = <span>{field.name}</span>;
  if (choices.length && field.kind !== "axes" && field.kind !== "any" && !isNumeric(field.kind) && !isText(field.kind)) {
    return (
      <label class="tw-field" title={field.doc}>
        {label}
        <select aria-label={field.name} value={value} onChange={(e) => set(e.currentTarget.value)}>
          {!field.required && <option value="">{field.unsaid || "-"}</option>}
          {choices.map((c) => (
            <option value={c}>{c}</option>
          ))}
        </select>
      </label>
    );
  }
  const isNumber = isNumeric(field.kind);
  return (
    <span class="tw-field">
      <label class="tw-field" title={field.doc}>
        {label}
        <input
          type="text"
          aria-label={field.name}
          inputMode={isNumber ? "numeric" : "text"}
          size={isNumber ? 5 : 18}
          value={value}
          onInput={(e) => set(e.currentTarget.value)}
        />
      </label>
      {choices.length > 1 && isText(field.kind) && (
        <select class="tw-some" aria-label={`Some for ${field.name}`} title="some that may be wanted" value="" onChange={(e) => set(e.currentTarget.value)}>
          <option value="" hidden></option>
          {choices.map((c) => (
            <option value={c}>{c}</option>
          ))}
        </select>
      )}
    </span>
  );
}
