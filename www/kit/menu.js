// @ts-check
// A menu of what can be done to one thing. It opens where that thing is, and works by pointer,
// touch or keyboard. It closes when an item is chosen, on Escape, and on a press elsewhere. There
// is one at a time.

import { byId, make } from './dom.js';

/**
 * @typedef {object} Item
 * @property {string} words
 * @property {() => void} act
 * @property {string} [key] the single key that does the same
 * @property {'radio' | 'checkbox'} [kind]
 * @property {boolean} [checked]
 * @property {boolean} [disabled]
 */
/**
 * Items with a name of their own stand in one row.
 * @typedef {{ name?: string, items: Item[] }} Group
 */
/**
 * @typedef {object} Content
 * @property {string} title
 * @property {[string, string][]} [facts] what is known of the thing; shown above the items
 * @property {string} [note] why there is no more to choose
 * @property {Group[]} groups
 */
/**
 * @typedef {object} How
 * @property {DOMRect} at the menu opens beside it
 * @property {HTMLElement | null} back what has the focus again afterwards
 * @property {() => void} [closed]
 */

/** @type {(() => void) | null} */
let close = null;

export const closeMenu = () => close?.();

/** @param {Content} content @param {How} how */
export function openMenu({ title, facts = [], note = '', groups }, { at, back, closed }) {
  closeMenu();
  const items = groups.flatMap((group) => group.items.map((item) => ({ item, button: itemButton(item) })));
  const buttonOf = new Map(items.map(({ item, button }) => [item, button]));
  const list = make('div', {
    role: 'menu',
    'aria-labelledby': 'menu-title',
    'aria-describedby': 'menu-facts menu-note',
  });
  for (const { name, items: members } of groups) {
    const box = make('div', { role: 'group', class: name ? 'menu-row' : '' });
    if (name) {
      box.setAttribute('aria-label', name);
      box.append(make('span', { class: 'menu-name', 'aria-hidden': 'true' }, name));
    }
    box.append(...members.map((item) => /** @type {Node} */ (buttonOf.get(item))));
    list.append(box);
  }
  const known = make('dl', { id: 'menu-facts', hidden: facts.length === 0 });
  known.append(...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
  const said = make('p', { id: 'menu-note', hidden: !note }, note);
  const heading = make('p', { id: 'menu-title' }, title);
  const box = make('div', { class: 'menu', popover: 'manual', tabindex: -1 }, heading, known, said, list);
  byId('page', HTMLElement).append(box);
  box.showPopover();
  place(box, at);

  const shut = (/** @type {boolean} */ focusBack) => {
    if (close === null) return;
    close = null;
    document.removeEventListener('pointerdown', outside, true);
    removeEventListener('resize', leave);
    removeEventListener('blur', leave);
    box.remove();
    if (focusBack && back?.isConnected) back.focus({ preventScroll: true });
    closed?.();
  };
  const leave = () => shut(false);
  const outside = (/** @type {Event} */ event) => {
    if (!(event.target instanceof Node && box.contains(event.target))) shut(false);
  };
  close = () => shut(true);
  document.addEventListener('pointerdown', outside, true);
  addEventListener('resize', leave);
  addEventListener('blur', leave);

  for (const { item, button } of items) {
    button.addEventListener('click', () => {
      if (item.disabled) return;
      shut(true);
      item.act();
    });
    button.addEventListener('pointermove', () => button.focus({ preventScroll: true }));
  }
  const buttons = items.map(({ button }) => button);
  box.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      shut(true);
      return;
    }
    const to = next(buttons, event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  box.addEventListener('contextmenu', (event) => event.preventDefault());
  (buttons[0] ?? box).focus({ preventScroll: true });
}

/**
 * The button that a key moves the focus to.
 * @param {HTMLButtonElement[]} buttons
 * @param {string} key
 */
function next(buttons, key) {
  const at = buttons.findIndex((button) => button === document.activeElement);
  const count = buttons.length;
  if (key === 'ArrowDown' || key === 'ArrowRight') return buttons[(at + 1) % count];
  if (key === 'ArrowUp' || key === 'ArrowLeft') return buttons[(at + count - 1) % count];
  if (key === 'Home') return buttons[0];
  if (key === 'End') return buttons[count - 1];
  if (key.length !== 1 || key === ' ') return undefined;
  const after = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
  return after.find((button) => button.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()));
}

/** @param {Item} item */
function itemButton({ words, kind, checked = false, disabled = false, key }) {
  const button = make('button', { role: kind ? `menuitem${kind}` : 'menuitem', tabindex: -1 }, words);
  if (kind) button.setAttribute('aria-checked', String(checked));
  if (disabled) button.setAttribute('aria-disabled', 'true');
  if (key) {
    button.setAttribute('aria-keyshortcuts', key);
    button.append(make('kbd', { 'aria-hidden': 'true' }, key));
  }
  return button;
}

/**
 * Places the box beside `at`, on a side that has room.
 * @param {HTMLElement} box @param {DOMRect} at
 */
function place(box, at) {
  const { width, height } = box.getBoundingClientRect();
  const gap = 8;
  const right = at.right + gap;
  const left = right + width <= innerWidth - gap ? right : at.left - gap - width;
  box.style.left = `${Math.max(gap, Math.min(left, innerWidth - width - gap))}px`;
  box.style.top = `${Math.max(gap, Math.min(at.top, innerHeight - height - gap))}px`;
}
