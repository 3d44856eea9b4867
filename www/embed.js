// @ts-check
// The bare player in another page's frame: what is left of the page is decided in css/modes.css;
// here is the way out.

/** @typedef {import('./model.js').Model} Model */

import { byId } from './dom.js';
import { anyAddressOf } from './link.js';

/**
 * What the address asks of the page: a bare player, or presenter mode.
 * @returns {'embed' | 'present' | ''}
 */
export function askedMode() {
  const query = new URLSearchParams(location.search);
  return query.has('embed') ? 'embed' : query.has('present') ? 'present' : '';
}

/** @param {() => Model} model */
export function embed(model) {
  document.documentElement.dataset.mode = 'embed';
  const link = byId('open-whole', HTMLAnchorElement);
  link.hidden = false;
  // Where it leads is found out when somebody is about to go there.
  const aim = () => (link.href = anyAddressOf(model()));
  for (const type of ['pointerenter', 'pointerdown', 'focus', 'click']) link.addEventListener(type, aim);
  aim();
}
