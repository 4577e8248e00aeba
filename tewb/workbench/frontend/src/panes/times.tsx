/** Times: the last measurement, how the time went along the journal, and the roofline. */
import { useDesk, useView } from "../hooks";
import { HistoryPlot } from "../parts/history_plot";
import { RooflinePlot } from "../parts/roofline_plot";
import { Words } from "../parts/words";
import type { Contestant, Measured } from "../states";
import { digits, shownTime } from "../units";

export function TimesPane() {
  const desk = useDesk();
  const measured = useView("measured");
  const history = useView("history");
  const busy = desk.busy.value;
  return (
    <section class="tw-pane tw-pane-times" aria-label="Times">
      {busy?.what === "measure" && (
        <p>
          <progress max={1} value={busy.done} aria-label="measuring" /> <span class="tw-dim">{busy.note}</span>
        </p>
      )}
      <Sizes />
      {measured.value ? <Table measured={measured.value} /> : <p class="tw-dim">Measure checks the result and times the kernel beside its reference.</p>}
      {history.value && history.value.length > 0 && <HistoryPlot moments={history.value} />}
      {measured.value && <Roofline />}
    </section>
  );
}

/** The values that symbolic sizes have in measurements, to be changed. */
function Sizes() {
  const desk = useDesk();
  const known = Object.entries(useView("program").value?.sizes ?? {});
  if (!known.length) return null;
  return (
    <div class="tw-form-fields" role="group" aria-label="Sizes to measure with">
      <span class="tw-dim">measured with</span>
      {known.map(([name, value]) => (
        <label class="tw-field" key={name} title={`the value of ${name} in measurements; Enter keeps it`}>
          <span>{name}</span>
          <input
            type="number"
            size={8}
            class="tw-size"
            aria-label={`Value of ${name}`}
            value={value}
            onChange={(e) => void desk.ask("size", { name, value: Number(e.currentTarget.value) })}
          />
        </label>
      ))}
    </div>
  );
}

function Roofline() {
  const roof = useView("roof");
  return roof.value ? (
    <>
      <RooflinePlot roof={roof.value} />
      <Words words={roof.value.words} />
    </>
  ) : null;
}

function Table({ measured }: { measured: Measured }) {
  return (
    <>
      <table class="tw-table">
        <thead>
          <tr>
            <th></th>
            <th>result</th>
            <th>median ± spread</th>
            <th>cold</th>
            <th>GFLOP/s</th>
            <th>GB/s</th>
          </tr>
        </thead>
        <tbody>
          {measured.contestants.map((c) => (
            <ContestantRow key={c.name} c={c} />
          ))}
        </tbody>
      </table>
      {measured.ratio !== null && (
        <p>
          {measured.contestants[1]?.name ?? "numpy"} / tewb: <b>{digits(measured.ratio)}</b>
          {measured.pinned_ratio !== null && (
            <>
              {" "}
              pinned / tewb: <b>{digits(measured.pinned_ratio)}</b>
            </>
          )}{" "}
          <span class="tw-dim">
            ({[measured.threads, measured.sizes, `after ${measured.steps} step${measured.steps === 1 ? "" : "s"}`].filter(Boolean).join("; ")})
          </span>
        </p>
      )}
    </>
  );
}

function ContestantRow({ c }: { c: Contestant }) {
  return (
    <tr>
      <td>{c.name}</td>
      <td class={c.ok ? "tw-good" : "tw-bad"}>
        {c.ok ? "✓" : "✗"} {c.check}
      </td>
      <td class="tw-number">{c.median === null ? "" : `${shownTime(c.median)} ± ${shownTime(c.spread ?? 0)}`}</td>
      <td class="tw-number">{c.cold === null ? "" : shownTime(c.cold)}</td>
      <td class="tw-number">{c.gflops === null ? "" : digits(c.gflops)}</td>
      <td class="tw-number">{c.gbytes === null ? "" : digits(c.gbytes)}</td>
    </tr>
  );
}
