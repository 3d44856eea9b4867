// @ts-check
// What all dialogs have: a title, a button that closes it, and a click beside it that does.

import { make } from './dom.js';
import * as common from '../words/common.js';

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
