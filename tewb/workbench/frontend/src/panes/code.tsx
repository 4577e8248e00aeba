/** The code pane: a form of the program, or two beside each other that scroll and light together. */
import type { EditorView } from "@codemirror/view";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { CodeView } from "../code/code_view";
import { linkScrolling } from "../code/scroll_together";
import { useDesk, useView } from "../hooks";
import type { FormName } from "../states";
import { remembered } from "../remembered";

const COMPARE = [
  ["", "compare with …"],
  ["before", "the step before"],
  ["pinned", "the pinned schedule"],
  ["pass", "the form before"],
] as const;

export function CodePane() {
  const desk = useDesk();
  const forms = useView("forms");
  const second = remembered<string>("second-form", "");
  const against = useSignal("");
  const left = useRef<EditorView | null>(null);
  const right = useRef<EditorView | null>(null);
  const known = forms.value ?? [];
  const other = known.some((f) => f.name === second.value) ? second.value : "";

  useEffect(() => (other && left.current && right.current ? linkScrolling(left.current, right.current) : undefined), [other]);

  return (
    <section class="tw-pane tw-pane-code" aria-label="Code">
      <header class="tw-bar">
        <FormChooser label="Form of the code" forms={known} value={desk.form.value} choose={(f) => (desk.form.value = f)} />
        <select aria-label="Compare with" title="mark what differs from another state" value={against.value} onChange={(e) => (against.value = e.currentTarget.value)}>
          {COMPARE.map(([value, text]) => (
            <option value={value}>{text}</option>
          ))}
        </select>
        <FormChooser label="Form beside it" forms={known} value={other} none="beside it …" choose={(f) => (second.value = f)} />
      </header>
      <div class="tw-codes">
        <Form form={desk.form.value} against={against.value} keep={left} />
        {other && <Form form={other} against="" keep={right} />}
      </div>
    </section>
  );
}

interface Chooser {
  label: string;
  forms: readonly FormName[];
  value: string;
  none?: string;
  choose(form: string): void;
}

function FormChooser({ label, forms, value, none, choose }: Chooser) {
  const isPass = value !== "" && !forms.some((f) => f.name === value); // one of LLVM's, chosen in its pane
  return (
    <select aria-label={label} title={forms.find((f) => f.name === value)?.doc ?? label} value={value} onChange={(e) => choose(e.currentTarget.value)}>
      {none !== undefined && <option value="">{none}</option>}
      {isPass && <option value={value}>{value}</option>}
      {forms.map((f) => (
        <option value={f.name} title={f.doc}>
          {f.label}
          {f.unchanged && f.label === f.name ? " (unchanged)" : ""}
        </option>
      ))}
    </select>
  );
}

function Form({ form, against, keep }: { form: string; against: string; keep: { current: EditorView | null } }) {
  const code = useView("code", { form, against });
  const shown = code.value;
  if (!shown) return <div class="tw-code-view tw-empty">…</div>;
  if (shown.problem !== null) return <pre class="tw-problem">{shown.problem}</pre>;
  return (
    <div class="tw-form">
      {shown.against && <div class="tw-dim tw-against">compared with {shown.against}</div>}
      <CodeView code={shown} label={`Code: ${form}`} onView={(view) => (keep.current = view)} />
    </div>
  );
}
