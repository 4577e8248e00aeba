/** How each kind of code is coloured and folded. */
import { foldService, HighlightStyle, StreamLanguage, syntaxHighlighting, type StreamParser } from "@codemirror/language";
import { python } from "@codemirror/legacy-modes/mode/python";
import type { EditorState, Extension, Text } from "@codemirror/state";
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

const assembly: StreamParser<null> = {
  name: "assembly",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^(?:#|\/\/|;).*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"/)) return "string";
    if (stream.match(/^[\w.$@]+:/)) return "labelName";
    if (stream.match(/^\.[\w.]+/)) return "meta";
    if (stream.match(/^%\w+/)) return "variableName";
    if (stream.match(/^\$?-?(?:0x[0-9A-Fa-f]+|\d+)\b/)) return "number";
    stream.match(/^[\w.$@]+/) || stream.next();
    return null;
  },
};

const LANGUAGES: Record<string, Extension> = {
  python: StreamLanguage.define(python),
  llvm: StreamLanguage.define(llvm),
  assembly: StreamLanguage.define(assembly),
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
