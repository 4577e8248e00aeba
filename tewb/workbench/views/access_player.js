// The load event of the player's empty style sheet. Sliders and the buttons of Play have no names for assistive
// technology: they get some here. Keys that are pressed inside are the player's own: JupyterLab would take them for its
// commands.
const player = this.closest('.tw-access');
const giveNames = () => {
  player.querySelectorAll('[role=slider]').forEach((slider) => slider.setAttribute('aria-label', 'Access'));
  player.querySelectorAll('.widget-play button').forEach((button, i) => {
    const name = ['Play or pause', 'Stop', 'Repeat'][i];
    button.setAttribute('aria-label', name);
    button.title = name;
  });
};
if (player) {
  giveNames();
  setTimeout(giveNames, 300);
  player.addEventListener('focusin', (e) => {
    giveNames();
    e.target.setAttribute('data-lm-suppress-shortcuts', 'true');
  });
}
