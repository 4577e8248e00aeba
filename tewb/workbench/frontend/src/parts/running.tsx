/** While work of one of these kinds goes on: how far it is, and Stop. */
import { useDesk } from "../hooks";
import { Button } from "./button";

export function Running({ what }: { what: readonly string[] }) {
  const desk = useDesk();
  const busy = desk.busy.value;
  if (!busy || !what.includes(busy.what)) return null;
  return (
    <>
      {" "}
      <progress max={1} value={busy.done} aria-label={busy.what} /> <span class="tw-dim">{busy.note}</span>{" "}
      <Button title="end it, and keep what was found" act={() => void desk.ask("stop")}>
        Stop
      </Button>
    </>
  );
}
