// @ts-check
// A row of tabs: arrow keys move along it, and the chosen tab's panel is shown.

/**
 * @param {HTMLElement} list an element with the role `tablist`
 * @param {() => void} changed another panel is to be seen
 */
export function wireTabs(list, changed) {
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('[role=tab]')]);
  /** @param {HTMLElement} chosen */
  const choose = (chosen) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute('aria-controls') ?? '');
      if (panel) panel.hidden = !on;
    }
    changed();
  };
  for (const tab of tabs) tab.addEventListener('click', () => choose(tab));
  list.addEventListener('keydown', (event) => {
    // Some may be put away.
    const seen = tabs.filter((tab) => tab.offsetParent);
    const at = seen.findIndex((tab) => tab === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    const to = seen[(at + step + seen.length) % seen.length];
    to.focus();
    to.click();
  });
}
