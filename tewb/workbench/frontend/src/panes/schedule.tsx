/** The schedule as Python: edited, loaded, copied; what is typed stays until it is loaded or given up. */
import { standardKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { languageOf } from "../code/language";
import { change } from "../code/text_changes";
import { useDesk, useView } from "../hooks";
import { Button } from "../parts/button";

export function SchedulePane() {
  const desk = useDesk();
  const journal = useView("journal");
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const written = useRef("");
  const edited = useSignal(false);
  const code = journal.value?.code ?? "";

  const load = () => {
    const text = editor.current!.state.doc.toString();
    void desk.ask("load", { text }).then((reply) => {
      if (reply.ok) edited.value = false;
    });
    return true;
  };

  const revert = () => {
    edited.value = false;
    put(editor.current!, code);
  };

  const put = (view: EditorView, text: string) => {
    written.current = text;
    const edit = change(view.state.doc.toString(), text);
    if (edit) view.dispatch({ changes: edit });
  };

  useEffect(() => {
    const view = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        extensions: [
          lineNumbers(),
          history(),
          keymap.of([{ key: "Mod-Enter", run: load }, indentWithTab, ...historyKeymap, ...standardKeymap]),
          languageOf("python"),
          EditorView.contentAttributes.of({ "aria-label": "The schedule as Python", tabindex: "0" }),
          EditorView.updateListener.of((u) => {
            if (u.docChanged) edited.value = u.state.doc.toString() !== written.current;
          }),
        ],
      }),
    });
    editor.current = view;
    return () => view.destroy();
  }, []);

  useEffect(() => {
    if (editor.current && !edited.peek()) put(editor.current, code);
  }, [code]);

  return (
    <section class="tw-pane tw-pane-schedule" aria-label="Schedule as Python">
      <header class="tw-bar">
        <Button isMain off={!edited.value} act={load} title="make this the schedule (Ctrl+Enter)">
          Load
        </Button>
        <Button off={!edited.value} title="back to the schedule as it is" act={revert}>
          Revert
        </Button>
        <span class="tw-dim">{edited.value ? "edited: not loaded yet" : "code, a share string or JSON can be pasted here"}</span>
      </header>
      <div class="tw-code-view" ref={place} />
    </section>
  );
}
