/** Memory: what each stage keeps and repeats, what externs touch, and the budget. */
import { useDesk, useShort, useView } from "../hooks";
import type { Account, ExternTouches } from "../states";
import { digits, shownBytes } from "../units";

export function MemoryPane() {
  const memory = useView("memory");
  const known = memory.value;
  if (!known) return null;
  if (known.problem !== null) return <p class="tw-problem">{known.problem}</p>;
  const inside = known.accounts.filter((a) => a.kind !== "argument");
  return (
    <section class="tw-pane tw-pane-memory" aria-label="Memory">
      {known.peak !== null && inside.length > 0 && <p>At most {shownBytes(known.peak)} of intermediates at once.</p>}
      {inside.length ? <Accounts accounts={inside} /> : <p class="tw-dim">No intermediates: every value goes straight to an argument.</p>}
      {known.externs.map((e) => (
        <Touches key={e.stage} extern={e} />
      ))}
      {known.budget.length > 0 && (
        <ul class="tw-budget">
          {known.budget.map((line) => (
            <li class={line.holds === false ? "tw-bad" : line.holds ? "tw-good" : "tw-dim"}>{line.text}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Accounts({ accounts }: { accounts: readonly Account[] }) {
  const desk = useDesk();
  const short = useShort();
  return (
    <table class="tw-table">
      <thead>
        <tr>
          <th>stage</th>
          <th>kept</th>
          <th>needed</th>
          <th>whole</th>
          <th>computed</th>
          <th>in</th>
          <th>how long</th>
        </tr>
      </thead>
      <tbody onMouseLeave={() => desk.dim()}>
        {accounts.map((a) => (
          <tr
            key={a.stage}
            class={desk.lit.value.parts.has(a.part) ? "tw-lit" : ""}
            onMouseEnter={() => desk.light([a.part], a.step === null ? [] : [a.step])}
            onClick={() => desk.select(a.stage)}
          >
            <td title={a.stage}>{short(a.stage)}</td>
            <td class="tw-number">{a.kind === "inline" ? "inline" : a.allocated}</td>
            <td class="tw-number">{a.needed}</td>
            <td class="tw-number">{a.declared}</td>
            <td class="tw-number">{a.computed === null ? "?" : `${digits(a.computed)} ×`}</td>
            <td>{a.cache ?? ""}</td>
            <td>{a.lifetime}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Touches({ extern }: { extern: ExternTouches }) {
  const calls = extern.calls === null ? "" : ` · ${extern.calls} call${extern.calls === 1 ? "" : "s"}`;
  return (
    <div>
      <p class="tw-heading">
        {extern.stage} touches <span class="tw-dim">{extern.effect + calls}</span>
      </p>
      <ul>
        {extern.touched.map((t) => (
          <li>
            {t.writes ? "writes" : "reads"} <b>{t.tensor}</b>[{t.box.join(", ")}] <span class="tw-dim">of ({t.shape.join(", ")})</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
