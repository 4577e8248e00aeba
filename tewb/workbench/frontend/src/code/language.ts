/** How each kind of code is coloured and folded. Only the lines in view are read: a text of 10,000 lines costs no more than one of 50. */
import { foldService } from "@codemirror/language";
import { RangeSetBuilder, type EditorState, type Extension, type Text } from "@codemirror/state";
import { Decoration, ViewPlugin, type DecorationSet, type EditorView, type ViewUpdate } from "@codemirror/view";

const COLOURS = ["keyword", "number", "string", "comment", "type", "meta"] as const;
type Colour = (typeof COLOURS)[number];

export interface Token {
  from: number;
  to: number;
  colour: Colour;
}

// A group of an expression is named for a colour; what is matched outside of the groups has none.
const LANGUAGES: Record<string, RegExp> = {
  python:
    /(?<comment>#.*)|(?<string>[bfru]{0,2}(?:"""[^]*?(?:"""|(?![^]))|'''[^]*?(?:'''|(?![^]))|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?))|(?<meta>^[ \t]*@[\w.]+)|(?<number>(?:0x[\da-f]+|\d[\d_]*\.?\d*(?:e[+-]?\d+)?))|(?<keyword>(?:False|None|True|and|as|assert|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield)(?![\w.]))|(?<type>(?:bool|dict|enumerate|float|int|len|list|max|min|range|set|slice|str|sum|tuple|zip)(?![\w.]))|[\p{L}_][\p{L}\w.]*/gmu,
  llvm: /(?<comment>;.*)|(?<string>"(?:[^"\\\n]|\\.)*")|[%@][\w.$"-]+|(?<meta>![\w.]+|[\w.$-]+:)|(?<type>(?:i\d+|float|double|half|bfloat|ptr|void|token|metadata)(?!\w))|(?<keyword>(?:define|declare|ret|br|label|load|store|call|phi|getelementptr|alloca|icmp|fcmp|select|add|fadd|sub|fsub|mul|fmul|fdiv|sdiv|udiv|srem|urem|and|or|xor|shl|lshr|ashr|zext|sext|trunc|fpext|fptrunc|sitofp|fptosi|bitcast|ptrtoint|inttoptr|extractelement|insertelement|shufflevector|switch|unreachable|tail|nsw|nuw|inbounds|exact|contract|align|to|x)(?!\w))|(?<number>-?(?:0x[\dA-Fa-f]+|\d[\d.]*(?:e[+-]?\d+)?)(?!\w))|\w+/gm,
  assembly: /(?<comment>(?:#|\/\/|;).*)|(?<string>"(?:[^"\\\n]|\\.)*")|(?<meta>[\w.$@]+:|\.[\w.]+)|%\w+|(?<number>\$?-?(?:0x[\dA-Fa-f]+|\d+)(?!\w))|[\w.$@]+/gm,
};

/** What is coloured in a text of this kind ("te", "ir", "python", "llvm", "assembly"). */
export function tokens(kind: string, text: string): Token[] {
  const found: Token[] = [];
  for (const match of text.matchAll(LANGUAGES[kind] ?? LANGUAGES["python"]!)) {
    const colour = COLOURS.find((name) => match.groups![name] !== undefined);
    if (colour) found.push({ from: match.index, to: match.index + match[0].length, colour });
  }
  return found;
}

const MARKS = Object.fromEntries(COLOURS.map((name) => [name, Decoration.mark({ class: `tok-${name}` })]));

function coloured(kind: string, view: EditorView): DecorationSet {
  const { doc } = view.state;
  const made = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    // In a program, a text in three quotes that began above goes on here.
    const open = (kind === "te" || kind === "python") && doc.sliceString(0, from).split('"""').length % 2 === 0 ? '"""' : "";
    for (const t of tokens(kind, open + doc.sliceString(from, to))) {
      const [start, end] = [Math.max(from + t.from - open.length, from), from + t.to - open.length];
      if (start < end) made.add(start, end, MARKS[t.colour]!);
    }
  }
  return made.finish();
}

/** The colours of a form of this kind. */
export function languageOf(kind: string): Extension {
  return ViewPlugin.fromClass(
    class {
      shown: DecorationSet;
      constructor(view: EditorView) {
        this.shown = coloured(kind, view);
      }
      update(u: ViewUpdate): void {
        if (u.docChanged || u.viewportChanged) this.shown = coloured(kind, u.view);
      }
    },
    { decorations: (plugin) => plugin.shown },
  );
}

/** A line folds with the lines below it that are indented further. */
export const foldByIndent = foldService.of((state: EditorState, from: number, end: number) => {
  const line = state.doc.lineAt(from).number;
  const last = lastLines(state.doc)[line - 1]!;
  return last > line ? { from: end, to: state.doc.line(last).to } : null;
});

const known = new WeakMap<Text, number[]>();

/** Of each line the last one that folds with it; itself where none does. Worked out once for a text: scrolling asks for each line. */
export function lastLines(doc: Text): number[] {
  const old = known.get(doc);
  if (old) return old;
  const last = Array.from({ length: doc.lines }, (_, i) => i + 1);
  const open: [line: number, depth: number][] = [];
  let [line, written] = [0, 0];
  const close = (depth: number) => {
    while (open.length && open.at(-1)![1] >= depth) last[open.pop()![0] - 1] = written;
  };
  for (const text of doc.iterLines()) {
    line += 1;
    const depth = text.search(/\S/);
    if (depth < 0) continue; // nothing on it
    close(depth);
    open.push([line, depth]);
    written = line;
  }
  close(0);
  known.set(doc, last);
  return last;
}
