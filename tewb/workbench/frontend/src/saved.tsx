/** The page that was saved: loops, code and the player of accesses, without a kernel. */
import { CodePane } from "./panes/code";
import { DataPane } from "./panes/data";
import { LoopsPane } from "./panes/loops";

export function Saved() {
  return (
    <div class="tw-saved">
      <LoopsPane />
      <CodePane />
      <DataPane />
    </div>
  );
}
