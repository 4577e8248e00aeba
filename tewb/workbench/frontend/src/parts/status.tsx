/** One line for what was just done or refused. It has its place always, so nothing jumps; a refusal opens below it. */
import { useDesk } from "../hooks";

export function Status() {
  const desk = useDesk();
  const said = desk.said.value;
  const refused = said?.refused ?? null;
  return (
    <div class="tw-status" role="status" aria-live="polite">
      <span class={said?.kind === "refused" ? "tw-bad" : "tw-dim"}>{said?.text ?? "Choose a loop, and press a key: ? shows them."}</span>
      {said?.offer && (
        <button type="button" class="tw-button" onClick={() => void desk.ask(said.offer!.request)}>
          {said.offer.text}
        </button>
      )}
      {refused && (
        <>
          {refused.hint && <span> <span class="tw-dim">hint:</span> {refused.hint}</span>}
          {refused.loops && <span class="tw-dim"> loops now: {refused.loops}</span>}
        </>
      )}
    </div>
  );
}
