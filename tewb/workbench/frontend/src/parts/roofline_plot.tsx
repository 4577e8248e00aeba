/** The roofline: what this machine reaches at each operational intensity, and where the kernel stands. */
import type { Roof, RoofPoint } from "../states";
import { digits } from "../units";
import { logScale, ticks } from "./axes";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [460, 240, 50, 14, 14, 40];

export function RooflinePlot({ roof }: { roof: Roof }) {
  const points = [...roof.points, roof.numpy, roof.cold].filter((p): p is RoofPoint => p !== null);
  if (!roof.points.length) return <p class="tw-dim">No roofline: {roof.note}</p>;
  const ridge = roof.gflops / roof.gbytes;
  const [lowX, highX] = [Math.min(ridge, ...points.map((p) => p.intensity)) / 4, Math.max(ridge, ...points.map((p) => p.intensity)) * 4];
  const [lowY, highY] = [Math.min(roof.gbytes * lowX, ...points.map((p) => p.gflops)) / 2, roof.gflops * 2];
  const x = logScale(lowX, highX, LEFT, WIDTH - RIGHT);
  const y = logScale(lowY, highY, HEIGHT - BOTTOM, TOP);
  const corner = (a: number, b: number) => `${x(a)},${y(b)}`;
  const newest = roof.points.at(-1)!;
  const share = newest.gflops / Math.min(roof.gflops, roof.gbytes * newest.intensity);
  return (
    <figure class="tw-figure">
      <svg class="tw-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words(roof, newest, share)}>
        {ticks(lowX, highX).map((t) => (
          <text x={x(t)} y={HEIGHT - BOTTOM + 14} text-anchor="middle">
            {digits(t)}
          </text>
        ))}
        {ticks(lowY, highY).map((t) => (
          <g key={t}>
            <line class="tw-grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(t)} y2={y(t)} />
            <text x={LEFT - 4} y={y(t) + 4} text-anchor="end">
              {digits(t)}
            </text>
          </g>
        ))}
        <polyline class="tw-roof" points={[corner(lowX, roof.gbytes * lowX), corner(ridge, roof.gflops), corner(highX, roof.gflops)].join(" ")} />
        <polyline class="tw-way" points={roof.points.map((p) => corner(p.intensity, p.gflops)).join(" ")} />
        {points.map((p) => (
          <circle class={p === newest ? "tw-newest" : p === roof.numpy ? "tw-numpy" : "tw-point"} cx={x(p.intensity)} cy={y(p.gflops)} r={p === newest ? 5.5 : 4}>
            <title>{`${p.label}: ${digits(p.gflops)} GFLOP/s at ${digits(p.intensity)} FLOP per byte`}</title>
          </circle>
        ))}
        <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 6} text-anchor="middle">
          operations per byte
        </text>
        <text x={LEFT} y={TOP - 3}>
          GFLOP/s
        </text>
      </svg>
      <figcaption>{words(roof, newest, share)}</figcaption>
    </figure>
  );
}

function words(roof: Roof, newest: RoofPoint, share: number): string {
  const threads = roof.threads === 1 ? "one thread" : `${roof.threads} threads`;
  return (
    `${digits(newest.gflops)} GFLOP/s, ${Math.round(share * 100)} % of what ${threads} can reach at this intensity ` +
    `(${digits(roof.gflops)} GFLOP/s of ${roof.dtype}, ${digits(roof.gbytes)} GB/s).`
  );
}
