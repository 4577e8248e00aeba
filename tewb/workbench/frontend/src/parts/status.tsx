/** What was just done or refused. It has two lines always, so nothing moves when it says more; what is longer can be scrolled. So
 * what can be pressed comes before the hint. */
import { useDesk, useView } from "../hooks";
import { Button } from "./button";
import { StepButton } from "./step_button";

export function Status() {
  const desk = useDesk();
  const said = desk.said.value;
  const refused = said?.refused ?? null;
  const checked = useView("checked").value;
  return (
    <div class="tw-status" role="status" aria-live="polite" tabIndex={-1}>
      <span class={said?.kind === "refused" ? "tw-bad" : "tw-dim"}>{said?.text ?? "Choose a loop, and press a key: ? shows them."}</span>
      {said?.offer && (
        <Button title={said.offer.text} act={said.offer.run}>
          {said.offer.text}
        </Button>
      )}
      {checked?.test === "different" && (
        <div class="tw-bad">
          ✗ {checked.found}{" "}
          <Button title="look for the fewest steps and the smallest sizes with which it is different" act={() => void desk.ask("minimise")}>
            Minimise
          </Button>
        </div>
      )}
      {refused && (
        <>
          {refused.steps?.length > 0 && <> <StepButton steps={refused.steps} text={refused.steps_text} /></>}
          {refused.instead?.map((other) => <StepButton key={other.text} steps={[other.step]} text={other.text} />)}
          {refused.hint && <span> <span class="tw-dim">hint:</span> {refused.hint}</span>}
          {refused.loops && <span class="tw-dim"> loops now: {refused.loops}</span>}
        </>
      )}
    </div>
  );
}
