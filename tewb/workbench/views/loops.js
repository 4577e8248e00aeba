// The loop tree of every stage. It asks for primitives by mouse and keyboard; what happens is Python's business.
//
//   click, arrows    choose a loop           s  split (asks for a factor)   v  vectorize
//   drag onto loop   reorder                 p  parallel                    u  unroll
//   drag a stage     compute it there        f  fuse with the loop inside   Alt+arrows  move the loop
//                                            t  transpose with it, as a tile of registers

const ONE_KEY = { v: "vectorize", p: "parallel", u: "unroll" };

function render({ model, el }) {
  el.setAttribute("role", "region");
  el.setAttribute("aria-label", "Loops");
  const list = document.createElement("div");
  list.className = "tw-code tw-tree";
  list.setAttribute("role", "tree");
  list.setAttribute("aria-label", "Loops of all stages");
  el.append(list);
  let dragged = null;

  const ask = (primitive, stage, args) => model.send({ primitive, stage, args });
  const choose = (stage, loop) => {
    model.set("selected", { stage, loop });
    model.save_changes();
  };
  const rows = () => [...list.querySelectorAll("[role=treeitem]")];
  const stageOf = (name) => model.get("tree").find((s) => s.name === name);

  function draw() {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const chosen = model.get("selected");
    list.replaceChildren();
    for (const stage of model.get("tree")) {
      list.append(row(stage, null, 0, chosen));
      stage.loops.forEach((loop, depth) => list.append(row(stage, loop, depth + 1, chosen)));
    }
    const again = rows().find((r) => r.dataset.key === focused);
    const start = again ?? rows().find((r) => r.getAttribute("aria-selected") === "true") ?? rows()[0];
    if (start) start.tabIndex = 0;
    if (again) again.focus({ preventScroll: true });
  }

  function row(stage, loop, depth, chosen) {
    const made = document.createElement("div");
    made.setAttribute("role", "treeitem");
    made.setAttribute("aria-level", depth + 1);
    made.tabIndex = -1;
    made.dataset.stage = stage.name;
    made.dataset.loop = loop ? loop.name : "";
    made.dataset.key = `${stage.name}/${made.dataset.loop}`;
    const mine = chosen.stage === stage.name && (chosen.loop ?? "") === made.dataset.loop;
    made.setAttribute("aria-selected", mine);
    const { step, part } = loop ?? stage;
    made.className = `${loop ? "tw-loop-row" : "tw-stage-row"} tw-p${part} ${step === null ? "" : `tw-s${step}`}`;
    made.style.paddingLeft = `${depth * 1.2}em`;
    made.draggable = true;
    if (loop) {
      made.append(loop.name, dim(" in "), loop.extent);
      if (loop.note) made.append(dim(` ${loop.note}`));
      if (loop.mark) made.append(" ", mark(loop.mark));
    } else {
      const name = document.createElement("b");
      name.textContent = stage.name;
      made.append(name);
      if (stage.note) made.append(dim(` ${stage.note}`));
    }
    return made;
  }

  function dim(text) {
    const made = document.createElement("span");
    made.className = "tw-dim";
    made.textContent = text;
    return made;
  }

  function mark(text) {
    const made = document.createElement("span");
    made.className = "tw-mark";
    made.textContent = text;
    return made;
  }

  const rowAt = (event) => event.target.closest("[role=treeitem]");

  function moveFocus(from, by) {
    const all = rows();
    const to = all[Math.min(Math.max(all.indexOf(from) + by, 0), all.length - 1)];
    from.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
    choose(to.dataset.stage, to.dataset.loop);
  }

  function moveLoop(stage, loop, by) {
    const names = stageOf(stage).loops.map((l) => l.name);
    const at = names.indexOf(loop);
    if (at < 0 || at + by < 0 || at + by >= names.length) return;
    const [upper, lower] = by < 0 ? [loop, names[at - 1]] : [names[at + 1], loop];
    ask("reorder", stage, { axes: [upper, lower] });
  }

  function askFactor(at, stage, loop) {
    const field = document.createElement("input");
    field.type = "number";
    field.min = "1";
    field.value = "16";
    field.className = "tw-factor";
    field.setAttribute("aria-label", `factor to split ${loop} by`);
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") draw();
      if (event.key !== "Enter") return;
      const factor = Number.parseInt(field.value, 10);
      at.focus(); // the field goes when it loses the focus
      if (Number.isInteger(factor)) ask("split", stage, { axis: loop, factor });
    });
    field.addEventListener("blur", () => field.remove());
    at.append(" ", field);
    field.focus();
    field.select();
  }

  const onClick = (event) => {
    const at = rowAt(event);
    if (!at || event.target.tagName === "INPUT") return;
    for (const r of rows()) r.tabIndex = -1;
    at.tabIndex = 0;
    at.focus();
    choose(at.dataset.stage, at.dataset.loop);
  };

  const onKey = (event) => {
    const at = rowAt(event);
    if (!at || event.ctrlKey || event.metaKey) return;
    const { stage, loop } = at.dataset;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && event.altKey && loop) moveLoop(stage, loop, by);
    else if (by) moveFocus(at, by);
    else if (event.key === "Home" || event.key === "End") moveFocus(at, event.key === "Home" ? -1e6 : 1e6);
    else if (event.key === "Enter" || event.key === " ") choose(stage, loop);
    else if (!loop) return;
    else if (ONE_KEY[event.key]) ask(ONE_KEY[event.key], stage, { axis: loop });
    else if (event.key === "s") askFactor(at, stage, loop);
    else if (event.key === "f") {
      const names = stageOf(stage).loops.map((l) => l.name);
      ask("fuse", stage, { axes: names.slice(names.indexOf(loop)).slice(0, 2) });
    } else if (event.key === "t") {
      const names = stageOf(stage).loops.map((l) => l.name);
      ask("transpose", stage, { rows: loop, lanes: names[names.indexOf(loop) + 1] ?? loop });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onDragStart = (event) => {
    const at = rowAt(event);
    if (!at) return;
    dragged = { ...at.dataset };
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", at.dataset.key);
  };

  const target = (event) => {
    const at = rowAt(event);
    if (!dragged || !at || !at.dataset.loop) return null;
    const same = at.dataset.stage === dragged.stage;
    if (dragged.loop ? same && at.dataset.loop !== dragged.loop : !same) return at;
    return null;
  };

  const onDragOver = (event) => {
    for (const r of rows()) r.classList.remove("tw-drop");
    const at = target(event);
    if (!at) return;
    at.classList.add("tw-drop");
    event.preventDefault();
  };

  const onDrop = (event) => {
    const at = target(event);
    if (!at) return;
    event.preventDefault();
    if (!dragged.loop) {
      ask("compute_at", dragged.stage, { parent: at.dataset.stage, axis: at.dataset.loop });
      return;
    }
    const names = stageOf(dragged.stage).loops.map((l) => l.name);
    const [from, to] = [names.indexOf(dragged.loop), names.indexOf(at.dataset.loop)];
    names.splice(to, 0, ...names.splice(from, 1));
    ask("reorder", dragged.stage, { axes: names.slice(Math.min(from, to), Math.max(from, to) + 1) });
  };

  const onDragEnd = () => {
    dragged = null;
    for (const r of rows()) r.classList.remove("tw-drop");
  };

  const events = { click: onClick, keydown: onKey, dragstart: onDragStart, dragover: onDragOver, drop: onDrop,
    dragend: onDragEnd };
  for (const [name, f] of Object.entries(events)) list.addEventListener(name, f);
  // Buttons of other panels of this workbench carry the steps that they stand for.
  const onStep = (event) => {
    const button = event.target.closest("button[data-step]");
    if (button && !button.disabled) model.send({ steps: JSON.parse(button.dataset.step) });
  };
  let bench = null;
  const listen = (frames) => {
    bench = el.closest(".tw-bench");
    if (bench) bench.addEventListener("click", onStep);
    else if (frames > 0) requestAnimationFrame(() => listen(frames - 1)); // not in the page yet
  };
  listen(300);

  model.on("change:tree", draw);
  model.on("change:selected", draw);
  draw();
  return () => {
    bench?.removeEventListener("click", onStep);
    model.off("change:tree", draw);
    model.off("change:selected", draw);
  };
}

export default { render };
