/** Why this fast: a sentence on the inner loop that takes the most time, and the table behind it. */
import { useDesk, useIsLate, useView } from "../hooks";
import { BEFORE, Words } from "../parts/words";
import { beside, facts, limitBars, portBars, type Bar } from "../speed";
import type { InnerLoopSpeed, WhyThisFast } from "../states";
import { grouped, shownBytes } from "../units";

export function SpeedPane() {
  const known = useView("speed").value;
  const isLate = useIsLate("speed");
  if (!known) return <p class="tw-dim">Compiling, and looking at the inner loops …</p>;
  if (known.problem !== null) return <p class="tw-problem">{known.problem}</p>;
  const machine = [known.processor, known.gigahertz && `${known.gigahertz.toFixed(2)} GHz`, ...Object.entries(known.caches).map(([name, n]) => `${name} ${shownBytes(n)}`)];
  return (
    <section class="tw-pane tw-pane-speed" aria-label="Why this fast">
      <p class={isLate ? "tw-speed-sentence tw-stale" : "tw-speed-sentence"}>
        {isLate && BEFORE}
        {known.sentence}
      </p>
      {known.verdict && <p>{known.verdict}</p>}
      {known.notes.map((n) => (
        <p key={n}>{n}</p>
      ))}
      <p class="tw-dim">{beside(known)}</p>
      {known.loops.map((loop, i) => (
        <Loop key={loop.label + i} loop={loop} open={i === 0} caches={known.caches} />
      ))}
      <Words words={known.words} />
      <p class="tw-dim">{machine.filter(Boolean).join(" · ")}</p>
    </section>
  );
}

function Loop({ loop, open, caches }: { loop: InnerLoopSpeed; open: boolean; caches: WhyThisFast["caches"] }) {
  const desk = useDesk();
  return (
    <details open={open} onMouseEnter={() => loop.part !== null && desk.light([loop.part])} onMouseLeave={() => desk.dim()}>
      <summary title="the numbers of this loop">
        <b>{loop.name}</b> {Math.round(loop.share * 100)} % of the time: {loop.rule}
      </summary>
      {loop.stage && (
        <button type="button" class="tw-link" title="select this loop in the tree and in the code" onClick={() => desk.select(loop.stage!, loop.loop ?? "")}>
          select {loop.name}
        </button>
      )}
      <Bars title={`Cycles of ${loop.once ? "a call" : "an iteration"} under each limit`} bars={limitBars(loop)} />
      <table class="tw-table">
        <tbody>
          {facts(loop).map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Bars title={`Cycles of each port (${loop.ports_by})`} bars={portBars(loop)} />
      <Lines loop={loop} levels={Object.keys(caches)} />
    </details>
  );
}

function Bars({ title, bars }: { title: string; bars: Bar[] }) {
  if (!bars.length) return null;
  return (
    <table class="tw-table tw-bars">
      <caption>{title}</caption>
      <tbody>
        {bars.map((b) => (
          <tr key={b.name} title={b.title} class={b.rules ? "tw-rules" : ""}>
            <th scope="row">{b.name}</th>
            <td class="tw-number">{b.text}</td>
            <td>
              <span class="tw-level" style={{ width: `${b.share * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lines({ loop, levels }: { loop: InnerLoopSpeed; levels: string[] }) {
  if (!loop.lines.length) return null;
  return (
    <table class="tw-table">
      <caption>Lines of 64 bytes that miss each cache in a call, predicted from reuse distances</caption>
      <thead>
        <tr>
          {["array", ...levels, "order"].map((x) => (
            <th scope="col">{x}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {loop.lines.map((l, i) => (
          <tr key={i}>
            <th scope="row">{l.buffer}</th>
            {levels.map((level) => (
              <td class="tw-number">{grouped(Math.round(l.misses[level] ?? 0))}</td>
            ))}
            <td>{l.crowded ? `few sets of ${l.crowded}` : l.in_order ? "in order" : "far apart"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
