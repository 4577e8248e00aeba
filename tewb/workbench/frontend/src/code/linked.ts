/**
 * What the lines of code are about, in CodeMirror: lines that share a loop or a step with what is hovered light up, remarks
 * stand behind their lines, and differences are marked. Only the lines in view are ever touched.
 */
import { RangeSetBuilder, StateEffect, StateField, type Extension } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { NOTHING_LIT, type Lit, type Now } from "../desk";
import type { Heat } from "../heat";
import type { Code, Link } from "../states";

export const setCode = StateEffect.define<Code>();
export const setLit = StateEffect.define<Lit>();

const EMPTY: Code = {
  form: "", kind: "", text: "", link_of: [], links: [], remarks: {}, sources: {}, against: "", marks: {}, was: {}, problem: null,
};

/** The code that is shown. */
export const shownCode = StateField.define<Code>({
  create: () => EMPTY,
  update: (code, tr) => tr.effects.reduce((now, e) => (e.is(setCode) ? e.value : now), code),
});

export const setHeat = StateEffect.define<ReadonlyMap<number, Heat>>();

const shownHeat = StateField.define<ReadonlyMap<number, Heat>>({
  create: () => new Map(),
  update: (heat, tr) => tr.effects.reduce((now, e) => (e.is(setHeat) ? e.value : now), heat),
});

export const setNow = StateEffect.define<Now | null>();

const shownNow = StateField.define<Now | null>({
  create: () => null,
  update: (now, tr) => tr.effects.reduce((known, e) => (e.is(setNow) ? e.value : known), now),
});

const shownLit = StateField.define<Lit>({
  create: () => NOTHING_LIT,
  update: (lit, tr) => tr.effects.reduce((now, e) => (e.is(setLit) ? e.value : now), lit),
});

/** What the line with this number (from 1) is about. */
export function linkAt(code: Code, line: number): Link | undefined {
  const at = code.link_of[line - 1];
  return at === undefined ? undefined : code.links[at];
}

/** "lit" when the line is about what is lit, "around" when it stands in a loop that is, "" otherwise. */
export function lightOf(link: Link | undefined, lit: Lit): "" | "lit" | "around" {
  if (!link || (lit.parts.size === 0 && lit.steps.size === 0)) return "";
  if (link.parts.some((p) => lit.parts.has(p)) || link.steps.some((s) => lit.steps.has(s))) return "lit";
  if (link.parts_around.some((p) => lit.parts.has(p)) || link.steps_around.some((s) => lit.steps.has(s))) return "around";
  return "";
}

/** The heat of a line: that of the loop or the stage that it is about. */
function heatOf(link: Link | undefined, heat: ReadonlyMap<number, Heat>): Heat | undefined {
  if (!link || heat.size === 0) return undefined;
  for (const part of link.parts) {
    const known = heat.get(part);
    if (known) return known;
  }
  return undefined;
}

class Remark extends WidgetType {
  constructor(readonly text: string, readonly kind: string) {
    super();
  }
  override eq(other: Remark): boolean {
    return other.text === this.text && other.kind === this.kind;
  }
  toDOM(): HTMLElement {
    const made = document.createElement("span");
    made.className = this.kind;
    made.textContent = this.text;
    return made;
  }
}

function decorations(view: EditorView): DecorationSet {
  const [code, lit, heat] = [view.state.field(shownCode), view.state.field(shownLit), view.state.field(shownHeat)];
  const now = view.state.field(shownNow);
  const made = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      const row = String(line.number - 1);
      const isNow = now?.form === code.form && now.line === line.number - 1 && !code.against;
      const classes = [lightOf(linkAt(code, line.number), lit), code.marks[row] ?? "", isNow ? "now" : ""].filter(Boolean);
      const hot = heatOf(linkAt(code, line.number), heat);
      const attributes = hot ? { style: `--heat: ${hot.share.toFixed(3)}`, title: hot.title } : {};
      const named = [...classes.map((c) => `tw-${c}`), ...(hot ? ["tw-hot"] : [])].join(" ");
      if (named) made.add(line.from, line.from, Decoration.line({ class: named, attributes }));
      const [remark, was] = [code.remarks[row], code.was[row]];
      if (remark) made.add(line.to, line.to, Decoration.widget({ widget: new Remark(`  # ${remark}`, "tw-remark"), side: 1 }));
      if (was) made.add(line.to, line.to, Decoration.widget({ widget: new Remark(`  was: ${was.trim()}`, "tw-was"), side: 2 }));
      at = line.to + 1;
    }
  }
  return made.finish();
}

const lighting = ViewPlugin.fromClass(
  class {
    shown: DecorationSet;
    constructor(view: EditorView) {
      this.shown = decorations(view);
    }
    update(u: ViewUpdate): void {
      const told = u.transactions.some((tr) => tr.effects.some((e) => e.is(setLit) || e.is(setCode) || e.is(setHeat) || e.is(setNow)));
      if (told || u.docChanged || u.viewportChanged) this.shown = decorations(u.view);
    }
  },
  { decorations: (plugin) => plugin.shown },
);

/** What makes an editor show linked code. */
export const linked: Extension = [shownCode, shownLit, shownHeat, shownNow, lighting];
