// @ts-check
// Many buttons with one tab stop: arrow keys, Home and End move the focus along them. Up and down
// pass over what is only explained.

/** Those in a box that can be seen. @param {HTMLElement} box */
export const buttonsOf = (box) => [...box.querySelectorAll('button')].filter(({ hidden }) => !hidden);

/** @param {HTMLButtonElement[]} buttons @param {number} at @param {number} by */
function passing(buttons, at, by) {
  let to = at;
  do to = (to + by + buttons.length) % buttons.length;
  while (to !== at && buttons[to].classList.contains('explained'));
  return to;
}

/** @param {HTMLElement} box the buttons in it may come and go */
export function roveFocus(box) {
  box.addEventListener('keydown', (event) => {
    const buttons = buttonsOf(box);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const last = buttons.length - 1;
    /** @type {Record<string, number>} */
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last };
    if (at >= 0) Object.assign(next, { ArrowDown: passing(buttons, at, 1), ArrowUp: passing(buttons, at, -1) });
    if (at < 0 || !Object.hasOwn(next, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    for (const button of buttons) button.tabIndex = -1;
    const to = buttons[(next[event.key] + buttons.length) % buttons.length];
    to.tabIndex = 0;
    to.focus();
  });
}
