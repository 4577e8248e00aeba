/** LLVM's half of the way: what it says of each loop, and the code after each of its passes that changed something. */
import { useDesk, useView } from "../hooks";
import type { LLVMHalf, LoopRemark } from "../states";

/** What decides about speed stands first. */
const WEIGHTY = /vectoriz|SLP|unroll|inlin|interleav/i;

export function LLVMPane() {
  const desk = useDesk();
  const llvm = useView("llvm");
  const known = llvm.value;
  if (!known) return <p class="tw-dim">LLVM tells what it does …</p>;
  if (known.problem !== null) return <p class="tw-problem">{known.problem}</p>;
  return (
    <section class="tw-pane tw-pane-llvm" aria-label="LLVM">
      <label class="tw-field">
        <span>Code after the pass</span>
        <select
          title="show the code as it is after one of LLVM's passes"
          value={known.passes.some((p) => p.name === desk.form.value) ? desk.form.value : ""}
          onChange={(e) => (desk.form.value = e.currentTarget.value)}
        >
          <option value="" disabled>
            {known.passes.length} passes changed something …
          </option>
          {known.passes.map((p) => (
            <option value={p.name} title={p.doc}>
              {p.label} ({p.doc.replace(/^after \S+ on /, "")})
            </option>
          ))}
        </select>
      </label>
      <Remarks known={known} />
    </section>
  );
}

function Remarks({ known }: { known: LLVMHalf }) {
  const first = known.remarks.filter((r) => WEIGHTY.test(r.text));
  const rest = known.remarks.filter((r) => !WEIGHTY.test(r.text));
  return (
    <>
      <RemarkList remarks={first} />
      {rest.length > 0 && (
        <details>
          <summary title="remarks that name no loop, and repeated ones">{rest.length} more remarks</summary>
          <RemarkList remarks={rest} />
        </details>
      )}
    </>
  );
}

function RemarkList({ remarks }: { remarks: readonly LoopRemark[] }) {
  const desk = useDesk();
  return (
    <ul class="tw-choices" onMouseLeave={() => desk.dim()}>
      {remarks.map((r) => (
        <li key={`${r.part} ${r.text}`} onMouseEnter={() => (r.part === null ? desk.dim() : desk.light([r.part]))}>
          {r.stage && (
            <button type="button" class="tw-link" title="choose this loop" onClick={() => desk.select(r.stage!, r.loop ?? "")}>
              {r.loop ? `${r.stage}.${r.loop}` : r.stage}
            </button>
          )}
          {r.stage && ": "}
          {r.text}
        </li>
      ))}
    </ul>
  );
}
