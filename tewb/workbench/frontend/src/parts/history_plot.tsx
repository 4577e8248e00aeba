/** The time after each step that was measured, with the reference as a line; a wrong result has a cross and no time. */
import { useDesk } from "../hooks";
import type { Moment } from "../states";
import { shownTime } from "../units";
import { logScale, ticks } from "./axes";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [460, 200, 60, 14, 14, 34];

export function HistoryPlot({ moments }: { moments: readonly Moment[] }) {
  const desk = useDesk();
  const times = moments.flatMap((m) => [m.median, m.reference]).filter((t): t is number => t !== null);
  const last = Math.max(...moments.map((m) => m.steps), 1);
  const x = (steps: number) => LEFT + 14 + ((WIDTH - LEFT - RIGHT - 28) * steps) / last;
  const [low, high] = times.length ? [Math.min(...times) / 1.6, Math.max(...times) * 1.6] : [1e-6, 1];
  const y = logScale(low, high, HEIGHT - BOTTOM, TOP);
  const right = moments.filter((m): m is Moment & { median: number } => m.median !== null);
  const reference = moments.findLast((m) => m.reference !== null)?.reference ?? null;
  return (
    <svg class="tw-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words(moments)}>
      {ticks(low, high).map((t) => (
        <g key={t}>
          <line class="tw-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(t)} y2={y(t)} />
          <text x={LEFT - 4} y={y(t) + 4} text-anchor="end">
            {shownTime(t)}
          </text>
        </g>
      ))}
      {reference !== null && (
        <>
          <line class="tw-reference" x1={LEFT} x2={WIDTH - RIGHT} y1={y(reference)} y2={y(reference)} />
          <text x={WIDTH - RIGHT} y={y(reference) - 5} text-anchor="end">
            reference {shownTime(reference)}
          </text>
        </>
      )}
      <polyline class="tw-way" points={right.map((m) => `${x(m.steps)},${y(m.median)}`).join(" ")} />
      {right.map((m) => (
        <circle
          key={m.steps}
          class="tw-point"
          cx={x(m.steps)}
          cy={y(m.median)}
          r={4}
          onMouseEnter={() => m.steps && desk.light([], [m.steps - 1])}
          onMouseLeave={() => desk.dim()}
          onClick={() => void desk.ask("jump", { step: m.steps })}
        >
          <title>{`after step ${m.steps}, ${m.label}: ${shownTime(m.median)}`}</title>
        </circle>
      ))}
      {moments
        .filter((m) => !m.ok)
        .map((m) => (
          <text class="tw-bad" x={x(m.steps)} y={TOP + 10} text-anchor="middle">
            ✗<title>{`after step ${m.steps}, ${m.label}: ${m.message}`}</title>
          </text>
        ))}
      <polyline class="tw-axis" points={`${LEFT},${TOP} ${LEFT},${HEIGHT - BOTTOM} ${WIDTH - RIGHT},${HEIGHT - BOTTOM}`} />
      {moments.map((m) => (
        <text x={x(m.steps)} y={HEIGHT - BOTTOM + 13} text-anchor="middle">
          {m.steps}
        </text>
      ))}
      <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 6} text-anchor="middle">
        steps of the journal
      </text>
    </svg>
  );
}

/** What the plot shows, in words. */
export function words(moments: readonly Moment[]): string {
  const said = moments.map((m) => `after ${m.steps} steps ${m.median === null ? "a wrong result" : shownTime(m.median)}`);
  return `Time per step: ${said.join("; ") || "nothing measured yet"}`;
}
