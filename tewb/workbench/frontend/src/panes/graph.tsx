/** The stage graph: drawn by graphviz, its nodes and edges to be clicked and lit. */
import { useEffect, useRef } from "preact/hooks";
import { useDesk, useView } from "../hooks";

export function GraphPane() {
  const desk = useDesk();
  const graph = useView("graph");
  const place = useRef<HTMLDivElement>(null);
  const known = graph.value;

  useEffect(() => {
    if (!known || !place.current) return;
    known.nodes.forEach((node, i) => {
      const at = place.current!.querySelector<SVGGElement>(`#node-${i}`);
      if (!at) return;
      at.setAttribute("tabindex", "0");
      at.setAttribute("role", "button");
      at.setAttribute("aria-label", [node.stage, ...node.lines.slice(1)].join(", "));
      at.querySelector("title")!.textContent = at.getAttribute("aria-label"); // graphviz writes a name of its own
      at.onclick = () => desk.select(node.stage);
      at.onkeydown = (e) => (e.key === "Enter" || e.key === " ") && desk.select(node.stage);
      at.onmouseenter = () => desk.light([node.part]);
      at.onmouseleave = () => desk.dim();
    });
    known.edges.forEach((edge, i) => {
      const at = place.current!.querySelector<SVGGElement>(`#edge-${i}`);
      if (!at) return;
      at.querySelector("title")!.textContent = edge.at ? `${edge.source} is computed at ${edge.target}.${edge.at}` : `${edge.target} reads ${edge.source}`;
      at.onclick = () => (edge.at ? desk.select(edge.target, edge.at) : desk.select(edge.source));
    });
  }, [known]);

  useEffect(() => {
    const parts = desk.lit.value.parts;
    known?.nodes.forEach((node, i) => {
      const at = place.current?.querySelector(`#node-${i}`);
      at?.classList.toggle("tw-lit", parts.has(node.part));
      at?.classList.toggle("tw-chosen", desk.selected.value.stage === node.stage);
    });
  }, [known, desk.lit.value, desk.selected.value]);

  if (!known) return null;
  if (known.svg === null) {
    return (
      <section class="tw-pane tw-pane-graph" aria-label="Stage graph">
        <pre>{known.text}</pre>
        <p class="tw-dim">graphviz's program dot is not installed, so this is text; pip install tewb[dot] draws it</p>
      </section>
    );
  }
  return (
    <section class="tw-pane tw-pane-graph" aria-label="Stage graph">
      <div class="tw-drawing" ref={place} dangerouslySetInnerHTML={{ __html: known.svg }} />
    </section>
  );
}
