/** How each kind of code is coloured and folded. */
import { foldService, HighlightStyle, StreamLanguage, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { gas } from "@codemirror/legacy-modes/mode/gas";
import { python } from "@codemirror/legacy-modes/mode/python";
import type { EditorState, Extension } from "@codemirror/state";
import { tags } from "@lezer/highlight";

const WORDS = /^(define|declare|ret|br|label|load|store|call|phi|getelementptr|alloca|icmp|fcmp|select|add|fadd|sub|fsub|mul|fmul|fdiv|sdiv|udiv|srem|urem|and|or|xor|shl|lshr|ashr|zext|sext|trunc|fpext|fptrunc|sitofp|fptosi|bitcast|ptrtoint|inttoptr|extractelement|insertelement|shufflevector|switch|unreachable|tail|nsw|nuw|inbounds|exact|contract|align|to|x)\b/;

const llvm: StreamParser<null> = {
  name: "llvm",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^;.*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"/)) return "string";
    if (stream.match(/^[%@][\w.$"-]+/)) return "variableName";
    if (stream.match(/^![\w.]+/)) return "meta";
    if (stream.match(/^-?(?:0x[0-9A-Fa-f]+|\d[\d.]*(?:e[+-]?\d+)?)\b/)) return "number";
    if (stream.match(/^(?:i\d+|float|double|half|bfloat|ptr|void|token|metadata)\b/)) return "typeName";
    if (stream.match(WORDS)) return "keyword";
    if (stream.match(/^[\w.$-]+:/)) return "labelName";
    stream.match(/^\w+/) || stream.next();
    return null;
  },
};

const LANGUAGES: Record<string, Extension> = {
  python: StreamLanguage.define(python),
  llvm: StreamLanguage.define(llvm),
  assembly: StreamLanguage.define(gas),
};

/** The language of a form of this kind ("te", "ir", "llvm", "assembly"). */
export function languageOf(kind: string): Extension {
  return LANGUAGES[kind] ?? LANGUAGES["python"]!;
}

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, class: "tok-keyword" },
  { tag: [tags.number, tags.bool], class: "tok-number" },
  { tag: tags.string, class: "tok-string" },
  { tag: tags.comment, class: "tok-comment" },
  { tag: [tags.typeName, tags.standard(tags.variableName)], class: "tok-type" },
  { tag: [tags.meta, tags.labelName], class: "tok-meta" },
]);

export const colours = syntaxHighlighting(COLOURS);

/** A line folds with the lines below it that are indented further. */
export const foldByIndent = foldService.of((state: EditorState, from: number, end: number) => {
  const line = state.doc.lineAt(from);
  const depth = indent(line.text);
  if (depth < 0) return null;
  let last = line.number;
  for (let i = line.number + 1; i <= state.doc.lines; i++) {
    const d = indent(state.doc.line(i).text);
    if (d >= 0 && d <= depth) break;
    if (d >= 0) last = i;
  }
  return last === line.number ? null : { from: end, to: state.doc.line(last).to };
});

/** The depth of a line; -1 when there is nothing on it. */
function indent(text: string): number {
  return text.search(/\S/);
}
