/** Two forms of the code beside each other: when one is scrolled, the other shows the lines that are about the same. */
import { EditorView } from "@codemirror/view";
import { linkAt, shownCode } from "./linked";

/** Let two editors follow each other. Returns a function that ends this. */
export function linkScrolling(a: EditorView, b: EditorView): () => void {
  let leader: EditorView | null = null;
  let free = 0;
  const follow = (from: EditorView, to: EditorView) => () => {
    if (leader !== null && leader !== from) return;
    leader = from;
    window.clearTimeout(free);
    free = window.setTimeout(() => (leader = null), 120);
    const line = counterpart(from, to);
    if (line !== null) to.dispatch({ effects: EditorView.scrollIntoView(to.state.doc.line(line).from, { y: "start" }) });
  };
  const [onA, onB] = [follow(a, b), follow(b, a)];
  a.scrollDOM.addEventListener("scroll", onA);
  b.scrollDOM.addEventListener("scroll", onB);
  return () => {
    window.clearTimeout(free);
    a.scrollDOM.removeEventListener("scroll", onA);
    b.scrollDOM.removeEventListener("scroll", onB);
  };
}

/** The line of `to` that is about what the topmost lines of `from` are about. */
function counterpart(from: EditorView, to: EditorView): number | null {
  const [source, target] = [from.state.field(shownCode), to.state.field(shownCode)];
  const top = from.lineBlockAtHeight(from.scrollDOM.scrollTop);
  const first = from.state.doc.lineAt(top.from).number;
  for (let line = first; line < Math.min(first + 12, from.state.doc.lines + 1); line++) {
    const parts = linkAt(source, line)?.parts ?? [];
    if (!parts.length) continue;
    const at = target.link_of.findIndex((i) => parts.some((p) => target.links[i]?.parts.includes(p)));
    if (at >= 0) return at + 1;
  }
  return null;
}
