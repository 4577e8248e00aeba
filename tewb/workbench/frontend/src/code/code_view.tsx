/** One form of the code: read, searched, folded, copied; hovering lights what a line is about, a click selects it. */
import { codeFolding, foldGutter, foldKeymap } from "@codemirror/language";
import { gotoLine, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type StateEffect } from "@codemirror/state";
import { EditorView, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { standardKeymap } from "@codemirror/commands";
import { useLayoutEffect, useRef } from "preact/hooks";
import { heatByPart } from "../heat";
import { useCosts, useDesk } from "../hooks";
import { metric } from "../metric";
import type { Code } from "../states";
import { foldByIndent, languageOf } from "./language";
import { linkAt, linked, setCode, setHeat, setLit, setNow, shownCode } from "./linked";
import { changes, isLeft } from "./text_changes";

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
  const scrolled = useRef(0); // to ask the page would be to lay it out

  useLayoutEffect(() => {
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
          keymap.of([{ key: "Mod-g", run: gotoLine }, ...searchKeymap, ...foldKeymap, ...standardKeymap]),
          language.current.of(languageOf(code.kind)),
          linked,
          EditorView.domEventHandlers({
            mousemove: (event, v) => hover(v, event),
            mouseleave: () => desk.dim(),
            click: (event, v) => pick(v, event),
            scroll: (_, v) => void (scrolled.current = v.scrollDOM.scrollTop),
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
    const stopNow = desk.now.subscribe((now) => view.dispatch({ effects: setNow.of(now) }));
    return () => {
      stop();
      stopNow();
      onView?.(null);
      view.destroy();
    };
  }, []);

  const costs = useCosts();
  useLayoutEffect(() => {
    editor.current!.dispatch({ effects: setHeat.of(heatByPart(costs, metric.value)) });
  }, [costs.costs, costs.times, costs.speed, metric.value]);

  // In the frame of the tree, not in the one after it.
  useLayoutEffect(() => {
    const view = editor.current!;
    const before = view.state.field(shownCode);
    const effects: StateEffect<unknown>[] = [setCode.of(code)];
    // To configure an editor anew takes longer than all else.
    if (before.form !== code.form) effects.push(name.current.reconfigure(named(label)));
    if (before.kind !== code.kind) effects.push(language.current.reconfigure(languageOf(code.kind)));
    const made = changes(before.text, code.text);
    const at = scrolled.current;
    const top = view.lineBlockAtHeight(at);
    view.dispatch({ changes: made, effects });
    if (before.form && before.form !== code.form) view.scrollDOM.scrollTop = 0;
    // The editor keeps the line at the top in its place. Where that is gone, it would go to where all that is new begins.
    else if (!isLeft(made, top.from, top.to)) requestAnimationFrame(() => (view.scrollDOM.scrollTop = at));
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
