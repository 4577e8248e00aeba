/** How the best time of a search fell: all trials as points, the best so far as a line; times are logarithmic. */
import type { Trials } from "../states";
import { corners } from "../trial_rows";
import { shownTime } from "../units";
import { logScale } from "./axes";

export function LeadPlot({ trials: { leads, rows, fall } }: { trials: Trials }) {
  const last = Math.max(1, ...rows.map((r) => r.number));
  const times = rows.flatMap((r) => r.seconds ?? []);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const x = (n: number) => 64 + (380 * n) / last;
  const y = logScale(low, high * 1.01, 80, 10);
  return (
    <svg class="tw-plot" viewBox="0 0 460 104" role="img" aria-label={fall}>
      {[...new Set([low, high])].map((t) => (
        <text x={58} y={y(t) + 4} text-anchor="end">
          {shownTime(t)}
        </text>
      ))}
      {rows.map((r) => r.seconds !== null && <circle class="tw-point" cx={x(r.number)} cy={y(r.seconds)} r={2.5} />)}
      <polyline class="tw-way" points={corners(leads, last).map(([n, t]) => `${x(n)},${y(t)}`).join(" ")} />
      <text x={254} y={100} text-anchor="middle">
        trials 0 to {last}
      </text>
    </svg>
  );
}
