// The load event of the workbench's style sheet. JupyterLab takes keys that are pressed in a drop-down for commands of
// the notebook (d d deletes the cell), unless the element that has the focus says not to.
const bench = this.closest('.tw-bench');
if (bench && !bench.dataset.twKeys) {
  bench.dataset.twKeys = 'own';
  bench.addEventListener('focusin', (e) => e.target.setAttribute('data-lm-suppress-shortcuts', 'true'));
}
