// @ts-check
// What all dialogs have: a title, a button that closes it, and a click beside it that does.

import { make } from './dom.js';
import * as common from '../words/common.js';

/** Closes whatever dialog is open. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

/** Which dialog is wanted: the last that was asked for, until Escape is pressed. */
let wanted = 0;
document.addEventListener('keydown', ({ key }) => key === 'Escape' && wanted++, true);

/**
 * Opens a dialog that may have to be loaded first, in place of any that is open; unless something
 * else is wanted by then.
 * @param {() => Promise<{ open: () => void } | null>} load
 */
export async function openDialog(load) {
  const mine = ++wanted;
  const dialog = await load();
  if (!dialog || mine !== wanted) return;
  closeDialogs();
  dialog.open();
}

/**
 * @param {HTMLDialogElement} dialog
 * @param {string} title
 * @param {...(Node | string)} content
 */
export function fillDialog(dialog, title, ...content) {
  const id = `${dialog.id}-title`;
  dialog.setAttribute('aria-labelledby', id);
  const close = make('button', { class: 'icon', 'aria-label': common.close, onclick: () => dialog.close() }, '×');
  dialog.replaceChildren(
    make('header', {}, make('h2', { id }, title), close),
    make('div', { class: 'dialog-body' }, ...content),
  );
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
}
