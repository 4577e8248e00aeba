/** How components read a desk. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import { keyOf, type Desk } from "./desk";
import { isTime, type Costs } from "./heat";
import type { Options, ViewName, Views } from "./messages";
import { metric } from "./metric";
import type { CostLine } from "./states";

const DeskContext = createContext<Desk | null>(null);
export const DeskProvider = DeskContext.Provider;

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("this component stands outside of a desk");
  return desk;
}

/** Long names of stages in a text, cut so that they still are told from each other. */
export function useShort(): (text: string) => string {
  const stages = useView("program").value?.stages;
  return useMemo(() => {
    const long = (stages ?? []).filter((s) => s.short !== s.name).sort((a, b) => b.name.length - a.name.length);
    return (text: string) => long.reduce((cut, s) => cut.replaceAll(s.name, s.short), text);
  }, [stages]);
}

/** The state of a view. While a new one is on its way, the old one stays: nothing flickers. No view (null) has no state. */
export function useView<V extends ViewName>(view: V | null, options: Options = {}): ReadonlySignal<Views[V] | undefined> {
  const desk = useDesk();
  const shown = useSignal<Views[V] | undefined>(undefined);
  const key = JSON.stringify(options);
  useEffect(() => {
    if (view === null) return;
    const [state, end] = desk.watch(view, options);
    const stop = state.subscribe((value) => {
      if (value !== undefined) shown.value = value;
    });
    return () => {
      stop();
      end();
    };
  }, [desk, view, key]);
  return shown;
}

/** Whether the state of a view is the one before the last change, as the new one takes a while. */
export function useIsLate(view: ViewName): boolean {
  return useDesk().late.value.includes(keyOf(view));
}

/** The costs and the times that the chosen metric needs. */
export function useCosts(): Costs {
  const timed = isTime(metric.value);
  const predicted = metric.value === "predicted";
  const costs = useView(timed || predicted || metric.value === "none" ? null : "cost");
  const times = useView(timed ? "loop_times" : null);
  const speed = useView(predicted ? "speed" : null);
  return { costs: costs.value?.lines ?? NONE, times: times.value, speed: speed.value };
}

const NONE: readonly CostLine[] = [];
