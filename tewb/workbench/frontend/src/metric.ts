/** Which cost is shown, in all panes alike. */
import type { Desk } from "./desk";
import { isTime, type Metric } from "./heat";
import { remembered } from "./remembered";

export const metric = remembered<Metric>("metric", "none");
if (isTime(metric.value)) metric.value = "none"; // times are of one program, and of one day

/** Time each loop by timers in the kernel, and show these times. */
export function measureLoops(desk: Desk): void {
  if (!isTime(metric.value)) metric.value = "seconds";
  void desk.ask("measure_loops");
}
