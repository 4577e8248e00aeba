"""What the bench of the workbench measures inside of the page, as JavaScript."""

# The promise `painted` is kept when what `changed` finds in the page is another text than before, and is on the screen.
ARM = """(selector) => {
  const read = () => [...document.querySelectorAll(selector)].map((e) => e.textContent).join();
  const before = read();
  let start = 0;
  const begin = (e) => { start ||= e.timeStamp; };
  for (const kind of ['keydown', 'pointerdown', 'pointerover']) addEventListener(kind, begin, { capture: true, once: true });
  window.painted = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!start || read() === before) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
    });
    observer.observe(document.querySelector('.tw-workbench'), { childList: true, subtree: true, characterData: true, attributes: true });
  });
}"""
PAINTED = "() => Promise.race([window.painted, new Promise((_, late) => setTimeout(() => late(new Error('nothing was painted')), 20000))])"

CODE = ".tw-workbench .tw-pane-code .cm-content"
LIT = ".tw-workbench .cm-line.tw-lit"
PALETTE = ".tw-palette li"

# Frames and long tasks while something goes on.
WATCH = """() => {
  const watch = window.watch = { tasks: [], frames: [], lags: [], on: true };
  watch.observer = new PerformanceObserver((list) => watch.tasks.push(...list.getEntries().map((e) => e.duration)));
  watch.observer.observe({ entryTypes: ['longtask'] });
  let last = performance.now();
  const frame = (now) => { watch.frames.push(now - last); last = now; if (watch.on) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
WATCHED = """async () => {
  await new Promise((r) => setTimeout(r, 200));
  const { watch } = window;
  watch.on = false;
  watch.observer.disconnect();
  return { tasks: watch.tasks, frames: watch.frames.slice(1), lags: watch.lags };
}"""

# From the top to the end, 800 pixels a frame; then to places far from each other.
SCROLL = """() => new Promise((resolve) => {
  const scroller = document.querySelector('.tw-pane-code .cm-scroller');
  const last = scroller.scrollHeight - scroller.clientHeight;
  const places = [];
  for (let y = 0; y < last; y += 800) places.push(y);
  for (let k = 0; k < 60; k++) places.push((k * 7919 % 60) / 60 * last);
  let at = 0;
  const step = () => {
    if (at === places.length) return resolve(scroller.scrollTop);
    scroller.scrollTop = places[at++];
    requestAnimationFrame(step);
  };
  step();
})"""

# How far the bar is from the pointer when a frame is on the screen.
FOLLOW = """(selector) => {
  const bar = document.querySelector(selector);
  addEventListener('pointermove', (e) => requestAnimationFrame(() => setTimeout(() => {
    const box = bar.getBoundingClientRect();
    window.watch.lags.push(Math.abs(box.left + box.width / 2 - e.clientX));
  })), { capture: true });
}"""

# From the start of the cells to the first code and tree that are painted, and to the first list of legal steps.
OPENING = """() => new Promise((resolve) => {
  const start = performance.now();
  window.jupyterapp.commands.execute('notebook:run-all-cells');
  let code = 0;
  const look = () => {
    const has = (selector) => document.querySelector('.tw-workbench ' + selector) !== null;
    if (!code && has('.cm-line') && has('[role=treeitem]')) code = performance.now() - start;
    if (code && has('.tw-choices li')) return resolve([code, performance.now() - start]);
    requestAnimationFrame(() => setTimeout(look));
  };
  look();
})"""
