/** Which cost is shown, in all panes alike. */
import type { Metric } from "./heat";
import { remembered } from "./remembered";

export const metric = remembered<Metric>("metric", "none");
