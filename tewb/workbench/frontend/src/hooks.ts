/** How components read a desk. */
import { useSignal, type ReadonlySignal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { Desk } from "./desk";
import type { Options, ViewName, Views } from "./messages";

const DeskContext = createContext<Desk | null>(null);
export const DeskProvider = DeskContext.Provider;

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("this component stands outside of a desk");
  return desk;
}

/** The state of a view. While a new one is on its way, the old one stays: nothing flickers. */
export function useView<V extends ViewName>(view: V, options: Options = {}): ReadonlySignal<Views[V] | undefined> {
  const desk = useDesk();
  const shown = useSignal<Views[V] | undefined>(undefined);
  const key = JSON.stringify(options);
  useEffect(() => {
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
