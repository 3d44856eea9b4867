// @ts-check
// A menu of what can be done to one thing. It opens where that thing is, and works by pointer,
// touch or keyboard. What is seldom wanted is folded away in sections, of which one is unfolded at
// a time. The menu closes when an item is chosen, on Escape, and on a press elsewhere. There is one
// at a time.

import { byId, make } from './dom.js';

/**
 * @typedef {object} Item
 * @property {string} words
 * @property {() => void} act
 * @property {string} [key] the single key that does the same
 * @property {'radio' | 'checkbox'} [kind]
 * @property {boolean} [checked]
 * @property {boolean} [disabled]
 * @property {string} [hint] what it does, in a few words, if its name doesn't say it all
 */
/**
 * Items with a name of their own stand in one row. With the name of a section, they are folded away
 * with the groups of the same section, under a heading that unfolds it.
 * @typedef {{ name?: string, section?: string, hint?: string, items: Item[] }} Group
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
  /** @type {Map<string, Section>} */
  const sections = new Map();
  for (const group of groups) {
    const box = groupBox(
      group,
      group.items.map((item) => /** @type {HTMLElement} */ (buttonOf.get(item))),
    );
    if (!group.section) list.append(box);
    else {
      const there = sections.get(group.section) ?? section(group.section);
      if (!sections.has(group.section)) list.append(there.head, there.body);
      sections.set(group.section, there);
      there.body.append(box);
    }
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
  /** Unfolds a section and folds the others; or folds it. @param {Section} one */
  const fold = (one, open = one.body.hidden) => {
    for (const { head, body } of sections.values()) {
      body.hidden = !(open && body === one.body);
      head.setAttribute('aria-expanded', String(!body.hidden));
    }
    place(box, at);
    // The heading stays in view, and as much of what it unfolds as there is room for.
    if (open) one.body.scrollIntoView({ block: 'nearest' });
    one.head.scrollIntoView({ block: 'nearest' });
  };
  for (const one of sections.values()) {
    one.head.addEventListener('click', () => fold(one));
    one.head.addEventListener('pointermove', () => one.head.focus({ preventScroll: true }));
  }
  const buttons = () =>
    [...list.querySelectorAll('button')].filter((button) => !button.closest('.menu-section')?.hasAttribute('hidden'));
  box.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      shut(true);
      return;
    }
    const active = document.activeElement;
    const head = [...sections.values()].find((one) => one.head === active);
    const inside = [...sections.values()].find((one) => one.body.contains(active));
    if (head && event.key === 'ArrowRight') fold(head, true);
    if (head && event.key === 'ArrowLeft' && !head.body.hidden) {
      event.preventDefault();
      fold(head, false);
      return;
    }
    // Items in a row are gone along with left and right: only elsewhere does left fold the section.
    if (inside && event.key === 'ArrowLeft' && !active?.closest('.menu-row')) {
      event.preventDefault();
      fold(inside, false);
      inside.head.focus();
      return;
    }
    const to = next(buttons(), event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  });
  box.addEventListener('contextmenu', (event) => event.preventDefault());
  (buttons()[0] ?? box).focus({ preventScroll: true });
}

/**
 * A part of a menu that is folded away at first.
 * @typedef {{ head: HTMLButtonElement, body: HTMLElement }} Section
 */

/** @param {string} words @returns {Section} */
function section(words) {
  const body = make('div', { class: 'menu-section', role: 'group', 'aria-label': words, hidden: true });
  const head = make('button', { role: 'menuitem', class: 'menu-head', tabindex: -1, 'aria-expanded': 'false' }, words);
  head.append(make('span', { 'aria-hidden': 'true' }, '›'));
  return { head, body };
}

/** @param {Group} group @param {HTMLElement[]} members */
function groupBox({ name, hint }, members) {
  const box = make('div', { role: 'group', class: name ? 'menu-row' : '' });
  if (name) {
    box.setAttribute('aria-label', name);
    box.append(make('span', { class: 'menu-name', 'aria-hidden': 'true' }, name));
  }
  box.append(...members);
  if (hint) {
    const line = make('small', { id: `menu-hint-${++hints}`, 'aria-hidden': 'true' }, hint);
    box.setAttribute('aria-describedby', line.id);
    box.append(line);
  }
  return box;
}

/** How many hints have been made: each has a name of its own. */
let hints = 0;

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
function itemButton({ words, kind, checked = false, disabled = false, key, hint }) {
  const button = make('button', { role: kind ? `menuitem${kind}` : 'menuitem', tabindex: -1 }, words);
  if (kind) button.setAttribute('aria-checked', String(checked));
  if (disabled) button.setAttribute('aria-disabled', 'true');
  if (key) {
    button.setAttribute('aria-keyshortcuts', key);
    button.append(make('kbd', { 'aria-hidden': 'true' }, key));
  }
  if (hint) {
    // It isn't a part of the item's name, but what describes it.
    const line = make('small', { id: `menu-hint-${++hints}`, 'aria-hidden': 'true' }, hint);
    button.setAttribute('aria-describedby', line.id);
    button.append(line);
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
