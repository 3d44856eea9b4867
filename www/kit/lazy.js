// @ts-check
// Parts of the page that come when they are asked for.

import * as common from '../words/common.js';
import { toast } from './toast.js';
import { wordsOf } from './errors.js';

/**
 * Loads a part when it is first asked for, and hands out that one from then on. Where it can't be
 * loaded, a notice says so, and it is tried anew the next time.
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T | null>}
 */
export function lazily(load) {
  /** @type {Promise<T | null> | null} */
  let part = null;
  return () => {
    part ??= load().catch((error) => {
      part = null;
      toast(common.notLoaded(wordsOf(error)));
      return null;
    });
    return part;
  };
}

/**
 * Does something when the browser has nothing else to do, and not before the page has been seen.
 * @param {() => void} work
 */
export function whenIdle(work) {
  const idle = () => {
    if ('requestIdleCallback' in window) requestIdleCallback(work, { timeout: 5_000 });
    else setTimeout(work, 1_000);
  };
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(idle)));
}
