/** Data: the accesses of a program, played in the order of its schedule over all of its memory. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { layoutOf, namesOf } from "../data_layout";
import type { Desk } from "../desk";
import { useDesk, useView } from "../hooks";
import { Button } from "../parts/button";
import { MemoryDrawing } from "../parts/memory_drawing";
import { Replay, taskOf } from "../replay";
import type { Data, Traced } from "../states";
import { grouped, shownBytes } from "../units";

const SPEEDS = [1, 4, 16, 60, 250, 1000, 4000]; // accesses a second

export function DataPane() {
  const desk = useDesk();
  const data = useView("data");
  const traced = useView("traced");
  const sizes = useSignal("small");
  const state = traced.value;
  const known = data.value;

  // Accesses are followed when they are looked at; code of the user's runs only when it is asked for.
  const mayTrace = state && !state.fresh && !state.running && !state.runs_python && !desk.busy.value;
  useEffect(() => {
    if (!mayTrace) return undefined;
    const wait = window.setTimeout(() => void desk.inquire("trace", { sizes: sizes.peek() }), known ? 400 : 0);
    return () => window.clearTimeout(wait);
  }, [mayTrace]);

  return (
    <section class="tw-pane tw-pane-data" aria-label="Data">
      {state && <Tracing state={state} sizes={sizes} />}
      {known?.problem && <p class="tw-problem">{known.problem}</p>}
      {state && known && !state.fresh && <p class="tw-dim">These are the accesses of the schedule as it was.</p>}
      {known && !known.problem && <Player data={known} />}
    </section>
  );
}

function Tracing({ state, sizes }: { state: Traced; sizes: { value: string } }) {
  const desk = useDesk();
  const trace = () => void desk.inquire("trace", { sizes: sizes.value });
  return (
    <div class="tw-bar">
      <select
        aria-label="Sizes"
        title="a small twin shows everything; the program's own sizes show the beginning of each loop nest"
        value={sizes.value}
        disabled={state.running}
        onChange={(e) => {
          sizes.value = e.currentTarget.value;
          trace();
        }}
      >
        <option value="small">small sizes</option>
        <option value="full">its own sizes</option>
      </select>
      {state.running ? (
        <>
          <span class="tw-dim">following the accesses …</span>
          <Button title="stop following the accesses" act={() => void desk.ask("stop")}>
            Stop
          </Button>
        </>
      ) : (
        !state.fresh && (
          <Button title="run the program in an interpreter and note every access" act={trace}>
            {state.runs_python ? "Follow the accesses (calls your Python code)" : "Follow the accesses"}
          </Button>
        )
      )}
      <Button title="a page of HTML that plays without a kernel" act={() => void save(desk)}>
        Save as file
      </Button>
    </div>
  );
}

async function save(desk: Desk): Promise<void> {
  const { ok, found } = await desk.ask("data_page");
  if (!ok) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([String(found)], { type: "text/html" }));
  link.download = "access.html";
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function Player({ data }: { data: Data }) {
  const desk = useDesk();
  const lines = useSignal(0); // of the cache; 0: what Python says
  const speed = useSignal(16);
  const byTask = useSignal(false);
  const playing = desk.isPlaying;
  const isMine = useRef(false); // of several players on a desk, the one that was started moves on
  const size = lines.value || data.cache.lines;
  const replay = useMemo(() => new Replay(data, size), [data, size]);
  const layouts = useMemo(() => data.buffers.map((b) => layoutOf(b, data.cache.line)), [data]);
  const end = Math.max(data.count - 1, 0);
  const time = useComputed(() => Math.min(Math.max(desk.time.value, 0), end)).value;
  const move = (to: number) => (desk.time.value = Math.min(Math.max(to, 0), end));
  replay.goto(time);
  const parallel = data.loops.some((l) => l.parallel);

  useEffect(() => {
    const access = replay.accesses[time];
    const site = access && data.sites[access.site]!;
    const values = new Map(site?.loops.map((l, d) => [data.loops[l]!.key ?? "", access!.values[d]!]));
    desk.now.value = site ? { values, line: site.line, form: data.form } : null;
  }, [replay, time]);
  useEffect(() => () => {
    desk.now.value = null;
    playing.value = false;
  }, []);

  useEffect(() => {
    if (!playing.value || !isMine.current) return undefined;
    let [then, done, frame] = [performance.now(), 0, 0];
    const go = (now: number) => {
      done += ((now - then) / 1000) * speed.peek();
      then = now;
      if (done >= 1) {
        move(desk.time.peek() + Math.floor(done));
        done %= 1;
      }
      if (desk.time.peek() >= end) playing.value = false;
      else frame = requestAnimationFrame(go);
    };
    frame = requestAnimationFrame(go);
    return () => {
      isMine.current = false;
      cancelAnimationFrame(frame);
    };
  }, [playing.value, end]);

  const play = () => {
    if (time >= end) move(0);
    isMine.current = true;
    playing.value = !playing.value;
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(SELECT|INPUT)$/.test((event.target as Element).tagName)) return;
    const by = event.shiftKey ? 16 : 1;
    if (event.key === "ArrowRight") move(time + by);
    else if (event.key === "ArrowLeft") move(time - by);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(end);
    else if (event.key === " " && event.target === event.currentTarget) play();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const said = sentence(replay, time);
  const { cache } = data;
  return (
    <div class="tw-player" role="group" aria-label="Player of accesses" tabIndex={0} title="Space plays; ← and → step, with Shift by 16; Home, End" onKeyDown={onKey}>
      <div class="tw-bar">
        <Press name={playing.value ? "Pause" : "Play"} sign={playing.value ? "❚❚" : "▶"} act={play} />
        <Press name="Back" sign="◂" act={() => move(time - 1)} />
        <Press name="Next" sign="▸" act={() => move(time + 1)} />
        <input class="tw-scrub" type="range" aria-label="Access" title="go to any access" min={0} max={end} value={time} onInput={(e) => move(Number(e.currentTarget.value))} />
        <input type="number" aria-label="Number of the access" title="number of the access" min={1} max={end + 1} value={time + 1} onChange={(e) => move(Number(e.currentTarget.value) - 1)} />
        <select aria-label="Speed" title="how fast it plays" value={speed.value} onChange={(e) => (speed.value = Number(e.currentTarget.value))}>
          {SPEEDS.map((n) => (
            <option value={n}>{grouped(n)} a second</option>
          ))}
        </select>
        <select aria-label="Cache" title="the cache that is simulated" value={lines.value} onChange={(e) => (lines.value = Number(e.currentTarget.value))}>
          <option value={0}>
            {cache.name} ({cache.lines} lines)
          </option>
          {[4, 8, 16, 32, 64, 256, 1024, 16384].map((n) => (
            <option value={n}>
              {n} lines, {shownBytes(n * cache.line)}
            </option>
          ))}
        </select>
        {parallel && (
          <label class="tw-field" title="the numbers of the tasks in place of reads and writes">
            <input type="checkbox" checked={byTask.value} onChange={(e) => (byTask.value = e.currentTarget.checked)} />
            tasks
          </label>
        )}
      </div>
      <p role="status" aria-live={playing.value ? "off" : "polite"}>
        {said}
      </p>
      <div class="tw-buffers">
        {data.buffers.map((b, i) => {
          const t = replay.tallies[i]!;
          const layout = layouts[i]!;
          const unit = layout.unit > 1 ? `, a cell is ${layout.unit} elements` : "";
          return (
            <figure key={b.name} onMouseEnter={() => desk.light([b.part])} onMouseLeave={() => desk.dim()}>
              <figcaption title={`strides ${b.strides.join(", ")} elements`}>
                <b>{b.name}</b>{" "}
                <span class="tw-dim">
                  {b.dtype} {b.shape.join(" × ")}, {shownBytes(b.elements * b.item)}
                  {unit}
                </span>
              </figcaption>
              <MemoryDrawing replay={replay} buffer={i} layout={layout} time={time} byTask={byTask.value} label={`${b.name}: ${t.fetched} lines fetched`} />
              <p class="tw-dim">
                lines: {t.fetched} fetched, {t.reused} reused, {t.lost} lost
              </p>
            </figure>
          );
        })}
      </div>
      <Legend />
      {data.said && <p>{data.said}</p>}
      <p class="tw-dim">{data.basis}</p>
      <ul>
        {data.buffers.map((b) => (
          <li key={b.name}>{b.use}</li>
        ))}
      </ul>
      {data.bound && <p>{data.bound}</p>}
    </div>
  );
}

function Press({ name, sign, act }: { name: string; sign: string; act(): void }) {
  return (
    <Button name={name} title={name} act={act}>
      {sign}
    </Button>
  );
}

const SIGNS = [
  ["●", "read", "tw-read"],
  ["■", "write", "tw-write"],
  ["▒", "line in the cache", "tw-read"],
  ["┅", "fetched now", ""],
  ["▭", "used again", ""],
  ["⊠", "lost", ""],
] as const;

function Legend() {
  return (
    <p class="tw-legend">
      {SIGNS.map(([sign, text, kind]) => (
        <span key={text}>
          <span class={kind} aria-hidden="true">
            {sign}
          </span>{" "}
          {text}
        </span>
      ))}
    </p>
  );
}

/** An access in words. */
function sentence(replay: Replay, time: number): string {
  const { data, step } = replay;
  const access = replay.accesses[time];
  if (!access) return "nothing is touched";
  const site = data.sites[access.site]!;
  const b = data.buffers[site.buffer]!;
  const loops = site.loops.map((l, d) => `${data.loops[l]!.name}=${access.values[d]}`).join(", ");
  const task = taskOf(data, access);
  const of = site.loops.map((l) => data.loops[l]!).find((l) => l.parallel)?.extent;
  return [
    `access ${time + 1} of ${data.count}: ${site.writes ? "write" : "read"} ${namesOf(b, replay.elements(access))}`,
    loops && `at ${loops}`,
    step.fetched.length ? `${step.fetched.length === 1 ? "its line is" : `${step.fetched.length} lines are`} fetched` : "its line is in the cache",
    step.lost.length && `${step.lost.map(([i]) => data.buffers[i]!.name).join(", ")} loses a line`,
    task >= 0 && `task ${task + 1} of ${of}`,
  ]
    .filter(Boolean)
    .join("; ");
}
