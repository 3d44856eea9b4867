// @ts-check
// The panels in the tabs, in their order; each has its name in `text` of words/common.js. A
// panel's module exports `panel`. What isn't seen at first is loaded when somebody asks for it, or
// when the browser has nothing else to do.

/**
 * @typedef {{ panel: (page: import('./panel.js').Page) => import('./panel.js').Panel }} PanelModule
 */
/** @typedef {keyof typeof panels} PanelName */

import * as safety from './safety.js';
import * as spacetime from './spacetime.js';

/** By its name: the panel's module, or what loads it. */
export const panels = /** @satisfies {Record<string, PanelModule | (() => Promise<PanelModule>)>} */ ({
  spacetime,
  events: () => import('./events.js'),
  operations: () => import('./clients.js'),
  safety,
  server: () => import('./server.js'),
  stores: () => import('./stores.js'),
  dials: () => import('./dials.js'),
  branches: () => import('./branches.js'),
});
