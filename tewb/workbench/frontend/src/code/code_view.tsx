/** One form of the code: read, searched, folded, copied; hovering lights what a line is about, a click selects it. */
import { codeFolding, foldGutter, foldKeymap } from "@codemirror/language";
import { gotoLine, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { defaultKeymap } from "@codemirror/commands";
import { useEffect, useRef } from "preact/hooks";
import { heatByPart } from "../heat";
import { useDesk, useView } from "../hooks";
import { metric } from "../metric";
import type { Code } from "../states";
import { colours, foldByIndent, languageOf } from "./language";
import { change, linkAt, linked, setCode, setHeat, setLit, shownCode } from "./linked";

interface Props {
  code: Code;
  label: string;
  /** Tells the line (from 1) at the top after scrolling, and takes one to scroll to. */
  onView?: (view: EditorView | null) => void;
}

export function CodeView({ code, label, onView }: Props) {
  const desk = useDesk();
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const language = useRef(new Compartment());
  const name = useRef(new Compartment());

  useEffect(() => {
    const view = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        extensions: [
          EditorState.readOnly.of(true),
          name.current.of(named(label)),
          lineNumbers(),
          foldGutter(),
          codeFolding(),
          foldByIndent,
          highlightActiveLineGutter(),
          search({ top: true }),
          keymap.of([...searchKeymap, ...foldKeymap, { key: "Mod-g", run: gotoLine }, ...defaultKeymap]),
          language.current.of(languageOf(code.kind)),
          colours,
          linked,
          EditorView.domEventHandlers({
            mousemove: (event, v) => hover(v, event),
            mouseleave: () => desk.dim(),
            click: (event, v) => pick(v, event),
          }),
        ],
      }),
    });
    const hover = (v: EditorView, event: MouseEvent) => {
      const link = linkUnder(v, event);
      if (link && (link.parts.length || link.steps.length)) desk.light(link.parts, link.steps);
      else desk.dim();
    };
    const pick = (v: EditorView, event: MouseEvent) => {
      const link = v.state.selection.main.empty ? linkUnder(v, event) : undefined;
      if (link?.stage) desk.select(link.stage, link.loop ?? "");
    };
    editor.current = view;
    onView?.(view);
    const stop = desk.lit.subscribe((lit) => view.dispatch({ effects: setLit.of(lit) }));
    return () => {
      stop();
      onView?.(null);
      view.destroy();
    };
  }, []);

  const costs = useView("cost");
  useEffect(() => {
    editor.current!.dispatch({ effects: setHeat.of(heatByPart(costs.value?.lines ?? [], metric.value)) });
  }, [costs.value, metric.value]);

  useEffect(() => {
    const view = editor.current!;
    const before = view.state.field(shownCode);
    const edit = change(view.state.doc.toString(), code.text);
    const effects = [setCode.of(code), name.current.reconfigure(named(label)), ...(before.kind === code.kind ? [] : [language.current.reconfigure(languageOf(code.kind))])];
    view.dispatch({ ...(edit ? { changes: edit } : {}), effects });
    if (before.form && before.form !== code.form) view.scrollDOM.scrollTop = 0;
  }, [code]);

  return <div class="tw-code-view" ref={place} />;
}

function named(label: string) {
  return EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0" });
}

function linkUnder(view: EditorView, event: MouseEvent) {
  const at = view.posAtCoords({ x: event.clientX, y: event.clientY }, false);
  return linkAt(view.state.field(shownCode), view.state.doc.lineAt(at).number);
}
