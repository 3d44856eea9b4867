// @ts-check
// The player in another page's frame. css/modes.css decides which parts of the page it has; here is
// the link from it to the whole page.

/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */

import { byId } from '../kit/dom.js';
import { anyAddressOf, pageAddress } from '../share/link.js';

/**
 * The mode that the address asks for: the embedded player, or presenter mode.
 * @returns {'embed' | 'present' | ''}
 */
export function askedMode() {
  const query = new URLSearchParams(location.search);
  return query.has('embed') ? 'embed' : query.has('present') ? 'present' : '';
}

/**
 * @param {() => SimulatedRun | null} simulated
 * @param {() => string} lesson the hash of the address, if a lesson is open; else empty
 */
export function embed(simulated, lesson) {
  document.documentElement.dataset.mode = 'embed';
  const link = byId('open-whole', HTMLAnchorElement);
  link.hidden = false;
  // The address is made only when somebody is about to follow the link.
  const aim = () => {
    const run = simulated();
    if (lesson()) link.href = pageAddress(lesson(), true);
    else if (run) link.href = anyAddressOf(run);
  };
  for (const type of ['pointerenter', 'pointerdown', 'focus', 'click']) link.addEventListener(type, aim);
  aim();
}
